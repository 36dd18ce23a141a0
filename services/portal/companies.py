"""Whose data is looked at: for all users their own policyholder, for a group viewer the one that is chosen (R91)."""

from typing import Any

from portal.visits import Visit


def chosen(visit: Visit) -> dict[str, Any]:
    """For gateway and template: `company` is the code that is looked at, `companies` what there is to choose from."""
    codes: list[str] = visit.me["policyholder_codes"]
    asked = visit.query.get("company", "")
    company = asked if asked in codes else (codes[0] if codes else visit.me["policyholder_code"])
    return {"company": company, "companies": codes if len(codes) > 1 else []}
