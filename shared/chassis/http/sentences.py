"""The Japanese sentence for every rule that input can break, and the field it was broken in; never the input itself."""

import re
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core.core_schema import ErrorType

from chassis.http.problems import FieldError

MOST_ERRORS = 50
_OURS_TO_WORD = frozenset(get_args(ErrorType))
_NAME = re.compile(r"[\w-]{1,64}")

_SENTENCES = {
    "missing": "必須の項目です。",
    "extra_forbidden": "この項目は受け付けていません。",
    "string_type": "文字列で指定してください。",
    "string_unicode": "使用できない文字が含まれています。",
    "string_too_short": "{min_length}文字以上で入力してください。",
    "string_too_long": "{max_length}文字以内で入力してください。",
    "string_pattern_mismatch": "形式が正しくありません。",
    "bool_type": "trueまたはfalseで指定してください。",
    "bool_parsing": "trueまたはfalseで指定してください。",
    "int_type": "整数で指定してください。",
    "int_parsing": "整数で指定してください。",
    "int_parsing_size": "値の桁数が多すぎます。",
    "int_from_float": "整数で指定してください。",
    "float_type": "数値で指定してください。",
    "float_parsing": "数値で指定してください。",
    "finite_number": "有限の数値で指定してください。",
    "decimal_type": "数値で指定してください。",
    "decimal_parsing": "数値で指定してください。",
    "decimal_max_digits": "{max_digits}桁以内で指定してください。",
    "decimal_max_places": "小数点以下は{decimal_places}桁以内で指定してください。",
    "decimal_whole_digits": "整数部は{whole_digits}桁以内で指定してください。",
    "greater_than": "{gt}より大きい値を指定してください。",
    "greater_than_equal": "{ge}以上の値を指定してください。",
    "less_than": "{lt}より小さい値を指定してください。",
    "less_than_equal": "{le}以下の値を指定してください。",
    "multiple_of": "{multiple_of}の倍数を指定してください。",
    "enum": "次のいずれかを指定してください: {expected}",
    "literal_error": "次のいずれかを指定してください: {expected}",
    "list_type": "配列で指定してください。",
    "tuple_type": "配列で指定してください。",
    "set_type": "配列で指定してください。",
    "frozen_set_type": "配列で指定してください。",
    "too_short": "{min_length}件以上を指定してください。",
    "too_long": "{max_length}件以内で指定してください。",
    "dict_type": "オブジェクトで指定してください。",
    "model_type": "オブジェクトで指定してください。",
    "model_attributes_type": "オブジェクトで指定してください。",
    "none_required": "nullを指定してください。",
    "date_type": "日付（YYYY-MM-DD）で指定してください。",
    "date_parsing": "正しい日付（YYYY-MM-DD）で指定してください。",
    "date_from_datetime_parsing": "正しい日付（YYYY-MM-DD）で指定してください。",
    "date_from_datetime_inexact": "日付（YYYY-MM-DD）だけを指定してください。",
    "date_past": "過去の日付を指定してください。",
    "date_future": "将来の日付を指定してください。",
    "datetime_type": "日時で指定してください。",
    "datetime_parsing": "正しい日時で指定してください。",
    "datetime_from_date_parsing": "正しい日時で指定してください。",
    "timezone_aware": "日時に時差（+09:00など）を付けてください。",
    "timezone_naive": "日時に時差を付けないでください。",
    "time_type": "時刻で指定してください。",
    "time_parsing": "正しい時刻で指定してください。",
    "uuid_type": "UUIDで指定してください。",
    "uuid_parsing": "正しいUUIDで指定してください。",
    "uuid_version": "正しいUUIDで指定してください。",
    "url_type": "URLで指定してください。",
    "url_parsing": "正しいURLで指定してください。",
    "url_scheme": "URLは{expected_schemes}で始めてください。",
    "bytes_type": "文字列で指定してください。",
    "bytes_invalid_encoding": "正しくエンコードされていません。",
    "union_tag_invalid": "種別は次のいずれかを指定してください: {expected_tags}",
    "union_tag_not_found": "種別を示す項目がありません。",
}
_OTHERWISE = "値が正しくありません。"


def field_errors(place: str, error: ValidationError, most: int = MOST_ERRORS) -> list[FieldError]:
    """What is wrong at `place` ("body", "query", …): at most so many broken rules, worded, without the input."""
    found = error.errors(include_input=False, include_url=False)[:most]
    return [FieldError(field=field(place, *one["loc"]), rule=one["type"], message=_sentence(one)) for one in found]


def field(place: str, *path: int | str) -> str:
    """`body.addresses.0.city`; a name that no field of ours could have is not repeated to the world."""
    return ".".join([place, *(str(part) if _NAME.fullmatch(str(part)) else "?" for part in path)])


def _sentence(error: Any) -> str:
    rule, context = error["type"], error.get("ctx", {})
    if rule == "value_error":
        return str(context["error"])
    if rule not in _OURS_TO_WORD:
        return str(error["msg"])
    if rule == "too_short" and context["field_type"] == "Value":  # a length asked of text that a rule made
        rule = "string_too_short"
    if rule == "string_too_short" and context["min_length"] == 1:
        return "入力してください。"
    return _SENTENCES.get(rule, _OTHERWISE).format_map(
        {name: _listed(value) if isinstance(value, str) else value for name, value in context.items()}
    )


def _listed(names: str) -> str:
    return names.replace(" or ", "、").replace(", ", "、").replace("'", "")
