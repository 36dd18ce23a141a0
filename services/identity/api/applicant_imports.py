"""Applicants by a CSV file: a dry run that reports every row's errors, then the same file for good, all or nothing."""

from collections.abc import Mapping, Sequence
from typing import Annotated
from uuid import UUID

from aiohttp import web
from pydantic import Field, ValidationError

from chassis.http import Answer, BodyTooLarge, Header, Problem, Routes, UnsupportedMediaType, View, receive, source_of
from chassis.http.sentences import field_errors
from chassis.sql import Database, Reader
from contracts.caller import Caller
from contracts.permissions import ApplicationData, Entry, Permission
from identity.api.applicant_views import facts
from identity.api.forms import ApplicantForm, Hint, RightsForm, address_hints
from identity.api.registrations import KeyUsedOtherwise, NoIdLeft, Registrar, digest, remember, repeated
from identity.credentials import NoSealingKey
from identity.rules import imports
from identity.rules.applicants import LABELS, broken_rights
from identity.rules.imports import RowError
from identity.rules.permissions import Rights
from identity.secrets import Secrets
from identity.settings import IdentitySettings
from identity.store import applicants

routes = Routes(tag="applicant imports")

CSV_TYPES = frozenset({"text/csv", "application/vnd.ms-excel", "application/octet-stream"})


class CellError(View):
    """What is wrong in a cell; row 1 is the header, as a spreadsheet counts."""

    row: int
    column: str | None = Field(description="field name; null: the row as a whole")
    column_label: str | None = Field(description="as in the header")
    rule: str
    message: str


class RowHint(View):
    """Something to think about that does not stand in the way."""

    row: int
    column: str
    message: str


class DryRun(View):
    """What registering this file would do."""

    digest: str = Field(description="of the content; the registration must bring the same")
    rows: int = Field(description="applicants in the file")
    free_ids: int = Field(description="how many can still be registered")
    errors: list[CellError]
    warnings: list[RowHint]
    registrable: bool


class Imported(View):
    """One registered applicant."""

    user_id: str
    email: str
    name: str


class Import(View):
    """All were registered; the first passwords go to the administrator, a mail for each."""

    registered: list[Imported]
    message: str


class FileHasErrors(Problem):
    """The file has errors; nobody was registered."""

    status = 422
    detail = "ファイルに誤りがあるため、登録していません。"


class OtherFile(Problem):
    """The file is not the one that was checked."""

    status = 409
    detail = "確認したファイルと内容が異なります。もう一度確認してください。"


@routes.post(
    "/applicant-imports/validation",
    needs=Permission.ADMINISTER,
    takes="text/csv",
    raises=[UnsupportedMediaType, BodyTooLarge],
)
async def validate_import(
    request: web.Request, caller: Caller, settings: IdentitySettings, database: Database
) -> DryRun:
    """The dry run: every row's errors by row and column. Body: text/csv in UTF-8 or Windows-31J. Nothing is stored."""
    company, content = caller.operator.policyholder_code, await _content(request)
    rows, forms, errors = await _read(database, company, content, settings.import_rows)
    free = await applicants.serials_left(database, company)
    return DryRun(
        digest=digest(content).hex(),
        rows=rows,
        free_ids=free,
        errors=_shown(errors),
        warnings=await _hints(database, company, forms),
        registrable=not errors and len(forms) <= free,
    )


@routes.post(
    "/applicant-imports",
    needs=Permission.ADMINISTER,
    status=(201, 200),
    takes="text/csv",
    raises=[UnsupportedMediaType, BodyTooLarge, FileHasErrors, OtherFile, NoIdLeft, KeyUsedOtherwise, NoSealingKey],
)
async def import_applicants(
    request: web.Request,
    caller: Caller,
    settings: IdentitySettings,
    secrets: Secrets,
    database: Database,
    checked: Annotated[str, Header("Content-Digest-Checked"), Field(pattern="^[0-9a-f]{64}$")],
    key: Annotated[UUID | None, Header("Idempotency-Key")] = None,
) -> Answer[Import]:
    """Register all applicants of the file that the dry run checked, or none."""
    company, content = caller.operator.policyholder_code, await _content(request)
    if digest(content).hex() != checked:
        raise OtherFile
    async with database.transaction() as tx:
        user_ids = await repeated(tx, company, key, content)
        status = 201 if user_ids is None else 200
        if user_ids is None:
            _, forms, errors = await _read(tx, company, content, settings.import_rows)
            if errors:
                raise FileHasErrors(errors=[one.model_dump() for one in _shown(errors)])
            registrar = Registrar(caller, source_of(request), secrets, settings)
            user_ids = await registrar.register(tx, [form for _, form in forms])
            await remember(tx, company, key, content, user_ids)
        registered = [Imported(**row) for row in await applicants.some(tx, company, user_ids)]
    message = f"{len(registered)}件のWebユーザー(申込者)情報を登録しました。初期パスワードをメールで送信しました。"
    return Answer(Import(registered=registered, message=message), status=status)


@routes.get("/applicant-imports/template", needs=Permission.ADMINISTER, gives="text/csv")
async def show_import_template() -> web.Response:
    """An empty file with the header row (UTF-8 with BOM, so that spreadsheets read it right)."""
    return web.Response(
        body=imports.template(),
        content_type="text/csv",
        charset="utf-8",
        headers={"Content-Disposition": 'attachment; filename="applicants.csv"'},
    )


async def _content(request: web.Request) -> bytes:
    if request.content_type not in CSV_TYPES or request.headers.get("Content-Encoding", "identity") != "identity":
        raise UnsupportedMediaType(detail="CSVファイル（text/csv）を、圧縮せずに送信してください。")
    return b"".join([chunk async for chunk in receive(request, limit=imports.MOST_BYTES)])


async def _read(
    db: Reader, company: str, content: bytes, most_rows: int
) -> tuple[int, list[tuple[int, ApplicantForm]], list[RowError]]:
    """How many applicants there are, the good forms with their rows, and everything that is wrong, row by row."""
    sheet, known = imports.read(content, most_rows), await facts(db, company)
    errors, forms = list(sheet.errors), []
    reported = {(one.row, one.column) for one in errors}
    for row in sheet.rows:
        try:
            forms.append((row.number, ApplicantForm.model_validate(row.values)))
        except ValidationError as error:
            errors += [one for one in _field_errors(row.number, error) if (one.row, one.column) not in reported]
        if (rights := _rights(row.values)) is not None:
            errors += [RowError.of(row.number, broken) for broken in broken_rights(rights, known)]
    # The same about many codes in one cell is said once, so what is said is bounded by the cells.
    return sheet.records, forms, sorted(dict.fromkeys(errors), key=lambda one: one.row)


def _rights(values: Mapping[str, object]) -> Rights | None:
    """The wished rights as far as the company bears on them, whatever else is wrong in the row; None: unreadable."""
    chosen = {name: values[name] for name in ("contract_data", "rider_codes") if name in values}
    others = {"entry": Entry.NONE, "application_data": ApplicationData.NONE}
    try:
        return RightsForm.model_validate(chosen | others).rights()
    except ValidationError:
        return None


def _field_errors(row: int, error: ValidationError) -> list[RowError]:
    found = field_errors("row", error, most=error.error_count())
    return [RowError(row, one["field"].split(".")[1], one["rule"], one["message"]) for one in found]


def _shown(errors: Sequence[RowError]) -> list[CellError]:
    return [
        CellError(
            row=one.row,
            column=one.column,
            column_label=LABELS[one.column] if one.column is not None else None,
            rule=one.rule,
            message=one.message,
        )
        for one in errors
    ]


async def _hints(db: Reader, company: str, forms: Sequence[tuple[int, ApplicantForm]]) -> list[RowHint]:
    """Advice against some addresses, and people who are registered already, here or further up in the file."""
    known = await applicants.namesakes(db, company, [form.email for _, form in forms])
    hints = []
    for row, form in forms:
        advice: list[Hint] = address_hints(form.email)
        hints += [RowHint(row=row, column=one.field, message=one.message) for one in advice]
        person = (form.email.lower(), form.name)
        if person in known:
            message = "同じメールアドレスと氏名の申込者が、すでに登録されているか、ファイル内にあります。"
            hints.append(RowHint(row=row, column="email", message=message))
        known.add(person)
    return hints
