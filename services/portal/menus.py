"""Where each menu of the user page leads (the codes are identity's)."""

from typing import Final

PATHS: Final = {
    "application_list": "/applications",
    "buyer_procedures": "/procedures/buyer_procedures",
    "insurance_procedures": "/procedures/insurance_procedures",
    "guarantee_limit_procedures": "/procedures/guarantee_limit_procedures",
    "rider_procedures": "/procedures/rider_procedures",
    "accident_procedures": "/procedures/accident_procedures",
    "electronic_application_procedures": "/procedures/electronic_application_procedures",
    "premium_estimation_detailed": "/elsewhere/premium_estimation_detailed",
    "buyer_inquiry": "/elsewhere/buyer_inquiry",
    "contract_inquiry": "/elsewhere/contract_inquiry",
    "password_change": "/password",
    "own_information": "/own-information",
    "account_inquiry": "/accounts",
    "policyholder_inquiry": "/policyholder",
    "administrator_change": "/administrator",
    "applicants": "/applicants",
    "accounts": "/accounts",
    "policyholder": "/policyholder",
    "access_history": "/access-history",
    "one_time_password_entry": "/one-time-password",
}

MORE: Final = {
    "user_management": (("/sessions", "ログイン中の端末・操作の記録"),),
    "management": (("/mails", "メールの送信状況"), ("/security-trail", "操作の記録（会社全体）")),
}
"""What the portal offers beyond the manual's menus, by section."""
