"""A row as an event of the Open Cybersecurity Schema Framework (OCSF 1.3), for a SIEM."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

VERSION = "1.3.0"


@dataclass(frozen=True, slots=True)
class Activity:
    """What kind of event it is in OCSF's classes."""

    class_uid: int
    activity_id: int
    activity_name: str

    @property
    def class_name(self) -> str:
        """Of the classes that are used here."""
        return {3001: "Account Change", 3002: "Authentication", 6003: "API Activity"}[self.class_uid]


LOGON = Activity(3002, 1, "Logon")
LOGOFF = Activity(3002, 2, "Logoff")
AUTHENTICATION_OTHER = Activity(3002, 99, "Other")
ACCOUNT_CREATE = Activity(3001, 1, "Create")
PASSWORD_CHANGE = Activity(3001, 3, "Password Change")
PASSWORD_RESET = Activity(3001, 4, "Password Reset")
ACCOUNT_LOCK = Activity(3001, 9, "Lock")
MFA_ENABLE = Activity(3001, 10, "MFA Factor Enable")
MFA_DISABLE = Activity(3001, 11, "MFA Factor Disable")
ACCOUNT_OTHER = Activity(3001, 99, "Other")
READ = Activity(6003, 2, "Read")
UPDATE = Activity(6003, 3, "Update")
API_OTHER = Activity(6003, 99, "Other")

_OUTCOMES = {"done": (1, "Success"), "refused": (2, "Failure"), "failed": (2, "Failure")}


def event(row: Mapping[str, Any], activity: Activity, label: str) -> dict[str, Any]:
    """The row with everything it holds; what OCSF has no place for is `unmapped`."""
    status_id, status = _OUTCOMES.get(row["outcome"], (0, "Unknown"))
    said: dict[str, Any] = {
        "metadata": _metadata(row),
        **_class(activity),
        "severity_id": 3 if status_id == 2 else 1,
        "severity": "Medium" if status_id == 2 else "Informational",
        "status_id": status_id,
        "status": status,
        "time": _milliseconds(row["performed_at"]),
        "message": label,
        "actor": {"user": _user(row), **({"session": {"uid": row["session_id"]}} if row["session_id"] else {})},
        "unmapped": {"type": row["type"], "title": row["title"], **_mapping(row["details"])},
    }
    if activity.class_uid < 4000:
        about = _mapping(row["details"]).get("about_user_id")
        said["user"] = {"uid": about} if about else _user(row)
    else:
        said["api"] = {"operation": row["type"], "service": {"name": row["type"].partition(".")[0]}}
    if row["source_address"]:
        said["src_endpoint"] = {"ip": row["source_address"]}
    return said


def _metadata(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "version": VERSION,
        "uid": str(row["id"]),
        "event_code": row["operation"] or row["type"],
        "log_name": "history" if row["operation"] else "trail",
        "sequence": row["number"],
        "logged_time": _milliseconds(row["recorded_at"]),
        "product": {"name": "audit", "vendor_name": "NEXI Web"},
    }


def _class(activity: Activity) -> dict[str, Any]:
    return {
        "category_uid": activity.class_uid // 1000,
        "category_name": "Identity & Access Management" if activity.class_uid < 4000 else "Application Activity",
        "class_uid": activity.class_uid,
        "class_name": activity.class_name,
        "activity_id": activity.activity_id,
        "activity_name": activity.activity_name,
        "type_uid": activity.class_uid * 100 + activity.activity_id,
        "type_name": f"{activity.class_name}: {activity.activity_name}",
    }


def _user(row: Mapping[str, Any]) -> dict[str, Any]:
    company = {"uid": row["policyholder_code"], "ou_name": row["department"]}
    return {"uid": row["user_id"], "name": row["name"] or row["user_id"], "org": company}


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _mapping(details: Any) -> dict[str, Any]:
    return details if isinstance(details, dict) else {}
