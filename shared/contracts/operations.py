"""The catalogue of recorded operations: 43 codes in 9 groups, as the manual lists them and as the CSV prints them."""

from enum import StrEnum


class Operation(StrEnum):
    """An operation of the access history by its code (ch3 §4-12, R255 to R306)."""

    LOGIN = "1-1"
    PASSWORD_CHANGE = "1-2"
    OVERSEAS_BUYER_SEARCH = "1-3"
    APPLICATION_LIST_VIEW = "1-4"
    NOTICE_DOWNLOAD = "1-5"
    BUYER_ENTRY = "2-1"
    BUYER_APPLICATION = "2-2"
    SLEEPING_RELEASE_ENTRY = "2-3"
    SLEEPING_RELEASE_APPLICATION = "2-4"
    BUYER_BOOKMARK = "2-5"
    BUYER_BOOKMARK_REMOVAL = "2-6"
    INDIVIDUAL_NEW_ENTRY = "3-1"
    INDIVIDUAL_NEW_APPLICATION = "3-2"
    INDIVIDUAL_CHANGE_ENTRY = "3-3"
    INDIVIDUAL_CHANGE_APPLICATION = "3-4"
    SMALL_BUSINESS_ENTRY = "4-1"
    SMALL_BUSINESS_APPLICATION = "4-2"
    COMPREHENSIVE_ENTRY = "5-1"
    COMPREHENSIVE_APPLICATION = "5-2"
    GUARANTEE_LIMIT_ENTRY = "6-1"
    GUARANTEE_LIMIT_APPLICATION = "6-2"
    GUARANTEE_CONFIRMATION_DOWNLOAD = "6-3"
    LIMIT_RETURN_ENTRY = "6-4"
    LIMIT_RETURN_APPLICATION = "6-5"
    LOSS_NOTICE_ENTRY = "7-1"
    LOSS_NOTICE_APPLICATION = "7-2"
    PAYMENT_NOTICE_ENTRY = "7-3"
    PAYMENT_NOTICE_APPLICATION = "7-4"
    GRACE_PERIOD_ENTRY = "7-5"
    GRACE_PERIOD_APPLICATION = "7-6"
    LEDGER_DATA_DOWNLOAD = "8-1"
    CONTRACT_DOWNLOAD = "8-2"
    ACCIDENT_SUMMARY_DOWNLOAD = "8-3"
    CLAIM_LIST_DOWNLOAD = "8-4"
    RIDER_PROCEDURE_LIST_VIEW = "9-1"
    RIDER_ENTRY = "9-2"
    RIDER_WISH_SENDING = "9-3"
    RIDER_APPLICATION = "9-4"
    RIDER_SHEET_RENEWAL_CHECK_DOWNLOAD = "9-5"
    RIDER_SHEET_MIDTERM_CHECK_DOWNLOAD = "9-6"
    RIDER_SHEET_RENEWAL_DOWNLOAD = "9-7"
    RIDER_SHEET_MIDTERM_DOWNLOAD = "9-8"
    RIDER_SHEET_FULL_DOWNLOAD = "9-9"


SESSIONS = frozenset({Operation.LOGIN, Operation.PASSWORD_CHANGE})
"""What only identity can know: no other system says it."""

REPORTED = frozenset({
    Operation.OVERSEAS_BUYER_SEARCH, Operation.BUYER_BOOKMARK, Operation.BUYER_BOOKMARK_REMOVAL,
    Operation.GUARANTEE_CONFIRMATION_DOWNLOAD,
    Operation.LEDGER_DATA_DOWNLOAD, Operation.CONTRACT_DOWNLOAD,
    Operation.ACCIDENT_SUMMARY_DOWNLOAD, Operation.CLAIM_LIST_DOWNLOAD,
    Operation.RIDER_PROCEDURE_LIST_VIEW,
    Operation.RIDER_SHEET_RENEWAL_CHECK_DOWNLOAD, Operation.RIDER_SHEET_MIDTERM_CHECK_DOWNLOAD,
    Operation.RIDER_SHEET_RENEWAL_DOWNLOAD, Operation.RIDER_SHEET_MIDTERM_DOWNLOAD,
    Operation.RIDER_SHEET_FULL_DOWNLOAD,
})  # fmt: skip
"""What front ends report with their user's token; all else the platform's services record themselves (H1)."""

GROUPS = {
    1: "基本機能",
    2: "海外商社登録・変更 スリーピング解除",
    3: "保険の申込み (貿易一般保険 (個別保険))",
    4: "保険の申込み (中小企業・農林水産業輸出代金保険)",
    5: "保険の申込み (包括保険共通)",
    6: "個別保証枠",
    7: "事故関連手続き (Webサービス対象保険種共通)",
    8: "情報照会",
    9: "企業総合保険特約のお手続き",
}
"""The group of a code is its first digit; labels as in the catalogue."""

LABELS = {
    Operation.LOGIN: "ログイン",
    Operation.PASSWORD_CHANGE: "パスワード変更",
    Operation.OVERSEAS_BUYER_SEARCH: "海外商社の検索",
    Operation.APPLICATION_LIST_VIEW: "Web申込状況一覧の参照",
    Operation.NOTICE_DOWNLOAD: "通知書ダウンロード (Web申込状況一覧)",
    Operation.BUYER_ENTRY: "申込情報の入力と保存 (海外商社登録・変更)",
    Operation.BUYER_APPLICATION: "申込み (海外商社登録・変更)",
    Operation.SLEEPING_RELEASE_ENTRY: "申込情報の入力と保存 (スリーピング解除)",
    Operation.SLEEPING_RELEASE_APPLICATION: "申込み (スリーピング解除)",
    Operation.BUYER_BOOKMARK: "ブックマークバイヤー登録",
    Operation.BUYER_BOOKMARK_REMOVAL: "ブックマークバイヤー削除",
    Operation.INDIVIDUAL_NEW_ENTRY: "申込情報の入力と保存 (個別新規)",
    Operation.INDIVIDUAL_NEW_APPLICATION: "申込み (個別新規)",
    Operation.INDIVIDUAL_CHANGE_ENTRY: "申込情報の入力と保存 (個別内容変更)",
    Operation.INDIVIDUAL_CHANGE_APPLICATION: "申込み (個別内容変更)",
    Operation.SMALL_BUSINESS_ENTRY: "申込情報の入力と保存 (中小新規)",
    Operation.SMALL_BUSINESS_APPLICATION: "申込み (中小新規)",
    Operation.COMPREHENSIVE_ENTRY: "個別 (通知) 入力と保存 (包括保険共通)",
    Operation.COMPREHENSIVE_APPLICATION: "台帳 (ファイル) アップロードまたは個別 (通知) 入力の一括申請 (包括保険共通)",
    Operation.GUARANTEE_LIMIT_ENTRY: "申込情報の入力と保存 (個別保証枠確認)",
    Operation.GUARANTEE_LIMIT_APPLICATION: "申込み (個別保証枠確認)",
    Operation.GUARANTEE_CONFIRMATION_DOWNLOAD: "確認証ダウンロード (個別保証枠確認)",
    Operation.LIMIT_RETURN_ENTRY: "申込情報の入力と保存 (決済/枠戻通知)",
    Operation.LIMIT_RETURN_APPLICATION: "申込み (決済/枠戻通知)",
    Operation.LOSS_NOTICE_ENTRY: "申込情報の入力と保存 (損失等発生通知)",
    Operation.LOSS_NOTICE_APPLICATION: "申込み (損失等発生通知)",
    Operation.PAYMENT_NOTICE_ENTRY: "申込情報の入力と保存 (入金通知)",
    Operation.PAYMENT_NOTICE_APPLICATION: "申込み (入金通知)",
    Operation.GRACE_PERIOD_ENTRY: "申込情報の入力と保存 (猶予申請)",
    Operation.GRACE_PERIOD_APPLICATION: "申込み (猶予申請)",
    Operation.LEDGER_DATA_DOWNLOAD: "照会・契約台帳の提供データダウンロード (包括保険共通)",
    Operation.CONTRACT_DOWNLOAD: "保険契約情報ダウンロード",
    Operation.ACCIDENT_SUMMARY_DOWNLOAD: "事故概要情報ダウンロード",
    Operation.CLAIM_LIST_DOWNLOAD: "債権一覧表ダウンロード",
    Operation.RIDER_PROCEDURE_LIST_VIEW: "企業総合保険特約手続状況一覧の参照",
    Operation.RIDER_ENTRY: "申込情報の入力と保存 (企業総合保険特約)",
    Operation.RIDER_WISH_SENDING: "設定希望情報の送信 (企業総合保険特約)",
    Operation.RIDER_APPLICATION: "申込み (企業総合保険特約)",
    Operation.RIDER_SHEET_RENEWAL_CHECK_DOWNLOAD: "特約一覧表兼支払限度額設定書（年度更新確認用）ダウンロード",
    Operation.RIDER_SHEET_MIDTERM_CHECK_DOWNLOAD: "特約一覧表兼支払限度額設定書（期中登録確認用）ダウンロード",
    Operation.RIDER_SHEET_RENEWAL_DOWNLOAD: "特約一覧表兼支払限度額設定書（年度更新）ダウンロード",
    Operation.RIDER_SHEET_MIDTERM_DOWNLOAD: "特約一覧表兼支払限度額設定書（期中登録）ダウンロード",
    Operation.RIDER_SHEET_FULL_DOWNLOAD: "特約一覧表兼支払限度額設定書（全企総登録）ダウンロード",
}
"""As listed in the catalogue, after the code and a space."""

PRINTED = {
    Operation.LOGIN: "[1-1]ログイン",
    Operation.PASSWORD_CHANGE: "[1-2]パスワード変更",
    Operation.OVERSEAS_BUYER_SEARCH: "[1-3]海外商社の検索",
    Operation.APPLICATION_LIST_VIEW: "[1-4]Web申込状況一覧の参照",
    Operation.NOTICE_DOWNLOAD: "[1-5]通知書ダウンロード（Web申込状況一覧）",
    Operation.BUYER_ENTRY: "[2-1]申込情報の入力と保存（海外商社登録・変更）",
    Operation.BUYER_APPLICATION: "[2-2]申込み（海外商社登録・変更）",
    Operation.SLEEPING_RELEASE_ENTRY: "[2-3]申込情報の入力と保存（スリーピング解除）",
    Operation.SLEEPING_RELEASE_APPLICATION: "[2-4]申込み（スリーピング解除）",
    Operation.BUYER_BOOKMARK: "[2-5]ブックマークバイヤー登録",
    Operation.BUYER_BOOKMARK_REMOVAL: "[2-6]ブックマークバイヤー削除",
    Operation.INDIVIDUAL_NEW_ENTRY: "[3-1]申込情報の入力と保存（個別新規）",
    Operation.INDIVIDUAL_NEW_APPLICATION: "[3-2]申込み（個別新規）",
    Operation.INDIVIDUAL_CHANGE_ENTRY: "[3-3]申込情報の入力と保存（個別内容変更）",
    Operation.INDIVIDUAL_CHANGE_APPLICATION: "[3-4]申込み（個別内容変更）",
    Operation.SMALL_BUSINESS_ENTRY: "[4-1]申込情報の入力と保存（中小新規）",
    Operation.SMALL_BUSINESS_APPLICATION: "[4-2]申込み（中小新規）",
    Operation.COMPREHENSIVE_ENTRY: "[5-1]個別（通知）入力と保存（包括保険共通）",
    Operation.COMPREHENSIVE_APPLICATION: "[5-2]台帳（ファイル）アップロードまたは個別（通知）入力の一括申請（包括保険共通）",
    Operation.GUARANTEE_LIMIT_ENTRY: "[6-1]申込情報の入力と保存（個別保証枠確認）",
    Operation.GUARANTEE_LIMIT_APPLICATION: "[6-2]申込み（個別保証枠確認）",
    Operation.GUARANTEE_CONFIRMATION_DOWNLOAD: "[6-3]確認証ダウンロード（個別保証枠確認）",
    Operation.LIMIT_RETURN_ENTRY: "[6-4]申込情報の入力と保存（決済/枠戻通知）",
    Operation.LIMIT_RETURN_APPLICATION: "[6-5]申込み（決済/枠戻通知）",
    Operation.LOSS_NOTICE_ENTRY: "[7-1]申込情報の入力と保存（損失等発生通知）",
    Operation.LOSS_NOTICE_APPLICATION: "[7-2]申込み（損失等発生通知）",
    Operation.PAYMENT_NOTICE_ENTRY: "[7-3]申込情報の入力と保存（入金通知）",
    Operation.PAYMENT_NOTICE_APPLICATION: "[7-4]申込み（入金通知）",
    Operation.GRACE_PERIOD_ENTRY: "[7-5]申込情報の入力と保存（猶予申請）",
    Operation.GRACE_PERIOD_APPLICATION: "[7-6]申込み（猶予申請）",
    Operation.LEDGER_DATA_DOWNLOAD: "[8-1]照会・契約台帳の提供データダウンロード（包括保険共通）",
    Operation.CONTRACT_DOWNLOAD: "[8-2]保険契約情報ダウンロード",
    Operation.ACCIDENT_SUMMARY_DOWNLOAD: "[8-3]事故概要情報ダウンロード",
    Operation.CLAIM_LIST_DOWNLOAD: "[8-4]債権一覧表ダウンロード",
    Operation.RIDER_PROCEDURE_LIST_VIEW: "[9-1]企業総合保険特約手続状況一覧の参照",
    Operation.RIDER_ENTRY: "[9-2]申込情報の入力と保存（企業総合保険特約）",
    Operation.RIDER_WISH_SENDING: "[9-3]設定希望情報の送信（企業総合保険特約）",
    Operation.RIDER_APPLICATION: "[9-4]申込み（企業総合保険特約）",
    Operation.RIDER_SHEET_RENEWAL_CHECK_DOWNLOAD: "[9-5]特約一覧表兼支払限度額設定書（年度更新確認用）ダウンロード",
    Operation.RIDER_SHEET_MIDTERM_CHECK_DOWNLOAD: "[9-6]特約一覧表兼支払限度額設定書（期中登録確認用）ダウンロード",
    Operation.RIDER_SHEET_RENEWAL_DOWNLOAD: "[9-7]特約一覧表兼支払限度額設定書（年度更新）ダウンロード",
    Operation.RIDER_SHEET_MIDTERM_DOWNLOAD: "[9-8]特約一覧表兼支払限度額設定書（期中登録）ダウンロード",
    Operation.RIDER_SHEET_FULL_DOWNLOAD: "[9-9]特約一覧表兼支払限度額設定書（全企総登録）ダウンロード",
}
"""As printed in the CSV: code and label without a space, qualifiers in full-width parentheses (R313, R314)."""
