"""The menus of the user page for the caller (R9, R20 to R30, R73, R324 to R328)."""

from pydantic import Field

from chassis.http import Routes, View
from chassis.sql import Database
from contracts.caller import Caller
from contracts.permissions import Permission
from identity.api.applicant_views import facts
from identity.api.menu_views import SectionView, show
from identity.rules.menus import Standing
from identity.store import companies

routes = Routes(tag="menu")


class MenuPage(View):
    """Which menus exist for the caller, and how each stands."""

    one_time_password_due: bool = Field(description="protected menus open after the one-time password")
    must_change_password: bool = Field(description="nothing else opens before (L5)")
    sections: list[SectionView]


@routes.get("/menu", needs=Permission.CHANGE_PASSWORD, step_up=False)
async def show_menu(caller: Caller, database: Database) -> MenuPage:
    """Free of the one-time password, so that the page can be drawn (O3)."""
    standing = Standing(
        role=caller.role,
        may=caller.may,
        stepped_up=caller.stepped_up,
        uses_one_time_passwords=await companies.any_uses_one_time_password(database, caller.policyholder_codes),
        uses_comprehensive=(await facts(database, caller.operator.policyholder_code)).uses_comprehensive,
    )
    return MenuPage(
        one_time_password_due=not caller.stepped_up,
        must_change_password=standing.must_change_password,
        sections=show(standing),
    )
