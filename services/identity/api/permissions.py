"""What rights mean: a preview before they are given, what an applicant may do now, and the rider codes to choose."""

from pydantic import Field

from chassis.http import NotFound, Routes, View
from chassis.sql import Database, Reader
from contracts import fields
from contracts.caller import Caller
from contracts.permissions import Permission, Role
from identity.api.applicant_views import facts
from identity.api.forms import RightsForm, check_rules
from identity.api.menu_views import SectionView, show
from identity.rules import previews
from identity.rules.applicants import broken_rights
from identity.rules.menus import Standing
from identity.rules.permissions import Rights, effective_riders, may
from identity.store import applicants, companies

routes = Routes(tag="permissions")


class Preview(View):
    """What a set of permissions lets a user do."""

    sentences: list[str]
    menus: list[SectionView] = Field(description="as after the one-time password, where those are in use")


class RiderCodes(View):
    """What 「特約コードの追加／削除」 offers (R131)."""

    uses_comprehensive_insurance: bool = Field(description="whether 対象特約のみ参照可能 can be chosen at all")
    rider_codes: list[str]


@routes.post("/permissions/preview", needs=Permission.ADMINISTER)
async def preview_permissions(body: RightsForm, caller: Caller, database: Database) -> Preview:
    """Before rights are given: what they would let an applicant do."""
    company = caller.operator.policyholder_code
    check_rules(broken_rights(body.rights(), await facts(database, company)))
    return await _preview(database, company, body.rights())


@routes.get("/applicants/{user_id}/permissions", needs=Permission.ADMINISTER, raises=[NotFound])
async def show_permissions(user_id: fields.WebUserId, caller: Caller, database: Database) -> Preview:
    """What an applicant may do now, and why not more."""
    company = caller.operator.policyholder_code
    row = await applicants.one(database, company, user_id)
    if row is None:
        raise NotFound
    if not row["enabled"]:
        return Preview(sentences=[previews.DISABLED], menus=[])
    return await _preview(database, company, applicants.rights_of(row))


@routes.get("/rider-codes", needs=Permission.ADMINISTER)
async def list_rider_codes(caller: Caller, database: Database) -> RiderCodes:
    """The policyholder's rider codes, as NEXI says."""
    known = await facts(database, caller.operator.policyholder_code)
    return RiderCodes(uses_comprehensive_insurance=known.uses_comprehensive, rider_codes=sorted(known.usable_codes))


async def _preview(db: Reader, policyholder_code: str, rights: Rights) -> Preview:
    company = await companies.find(db, policyholder_code)
    if company is None:
        raise NotFound
    effective = effective_riders(
        rights, uses_comprehensive=company.uses_comprehensive_insurance, company_codes=company.rider_codes
    )
    standing = Standing(
        role=Role.APPLICANT,
        may=may(Role.APPLICANT, rights, effective=effective),
        stepped_up=True,
        uses_one_time_passwords=False,
        uses_comprehensive=company.uses_comprehensive_insurance,
    )
    said = previews.sentences(rights, effective, one_time_password=company.uses_one_time_password)
    return Preview(sentences=list(said), menus=show(standing))
