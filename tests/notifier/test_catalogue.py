"""What every mail says is seen in review: a changed word changes a snapshot (SNAPSHOTS=write writes them anew)."""

import os
from pathlib import Path

import pytest

from contracts.notifier import Template
from notifier.mails import japanese
from notifier.mails.catalogue import CATALOGUE, LANGUAGES, preview, subject_of
from notifier.mails.names import OwnTemplate

SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.mark.parametrize("template", list(CATALOGUE))
@pytest.mark.requirement("N4")
def test_a_mail_reads_as_it_was_agreed(template: str) -> None:
    text = preview(template)
    shown = f"Subject: {text.subject}\n\n{text.body}"
    file = SNAPSHOTS / f"{template}.txt"
    if os.environ.get("SNAPSHOTS") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(shown, encoding="utf-8")
    assert file.read_text(encoding="utf-8") == shown


def test_every_mail_that_can_be_asked_for_is_there_in_every_language() -> None:
    assert set(CATALOGUE) == {*Template, *OwnTemplate}
    assert all(set(texts) == set(CATALOGUE) for texts in LANGUAGES.values())
    assert {path.stem for path in SNAPSHOTS.glob("*.txt")} == set(CATALOGUE)


def test_mails_are_plain_text_in_lines_that_people_can_read() -> None:
    for template in CATALOGUE:
        text = preview(template)
        assert "\n" not in text.subject
        assert "\r" not in text.body
        assert text.body.endswith("\n")
        assert japanese.RULE in text.body


def test_a_list_shows_the_kind_of_mail_without_its_number() -> None:
    assert subject_of(OwnTemplate.APPLICATION_RECEIVED) == "申込受付のお知らせ"
    assert subject_of("of a later version") == "of a later version"
