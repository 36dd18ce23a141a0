"""How the user page's menus are shown: each with its state, and the sentence that says why it is not open."""

from chassis.http import StepUpRequired, View
from identity.rules.menus import Menu, Reason, Section, Standing, State, sections, stand

SENTENCES = {
    Reason.ONE_TIME_PASSWORD: StepUpRequired.detail,
    Reason.NO_PERMISSION: "このメニューを利用する権限がありません。",
    Reason.NO_COMPREHENSIVE_INSURANCE: "企業総合保険をご利用の場合にのみ利用できます。",
    Reason.PASSWORD_CHANGE_DUE: "パスワードを変更すると利用できます。",
    Reason.ALREADY_ENTERED: "ワンタイムパスワードは入力済みです。",
}


class MenuView(View):
    """One menu."""

    code: str
    label: str
    pattern: int
    state: State
    reason: Reason | None
    message: str | None


class SectionView(View):
    """A heading of the user page and what is below it."""

    code: str
    number: str
    label: str
    menus: list[MenuView]


def show(standing: Standing) -> list[SectionView]:
    """All sections that exist for the caller, in the manual's order."""
    return [_section(section, standing) for section in sections(standing)]


def _section(section: Section, standing: Standing) -> SectionView:
    menus = [_menu(menu, standing) for menu in section.menus]
    return SectionView(code=section.code, number=section.number, label=section.label, menus=menus)


def _menu(menu: Menu, standing: Standing) -> MenuView:
    state, reason = stand(menu, standing)
    return MenuView(
        code=menu.code,
        label=menu.label,
        pattern=menu.pattern,
        state=state,
        reason=reason,
        message=SENTENCES[reason] if reason is not None else None,
    )
