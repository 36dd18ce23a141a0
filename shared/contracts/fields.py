"""The words and numbers that several services use, each with its one rule (rulings W1, W2, W7, F1 to F6)."""

from typing import Annotated

from pydantic import Field

from chassis.text import full_width, half_width

PolicyholderCode = Annotated[str, Field(pattern=r"^[0-9]{9}$", description="保険利用者コード", examples=["123456789"])]
WebUserId = Annotated[str, Field(pattern=r"^[0-9]{12}$", description="WebユーザーID", examples=["123456789001"])]
RiderCode = Annotated[str, Field(pattern=r"^[0-9]{9}$", description="特約コード", examples=["999999901"])]
WebApplicationNumber = Annotated[
    str, Field(pattern=r"^[0-9]{4}-[0-9]{4}-[0-9]{4,5}$", description="Web申込番号", examples=["2015-0901-0001"])
]

EmailAddress = Annotated[
    str,
    half_width(50, r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
               r"@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}$"),
    Field(description="メールアドレス", examples=["nippo-taro@sample.com"]),
]  # fmt: skip
PersonName = Annotated[str, full_width(50), Field(min_length=1, description="氏名", examples=["日本　太郎"])]
UserPhone = Annotated[str, half_width(20, r"^([0-9]+(-[0-9]+)*)?$"), Field(description="電話番号")]
Department = Annotated[str, full_width(25), Field(description="所属名", examples=["見本事業部"])]
JobTitle = Annotated[str, full_width(50), Field(description="役職名", examples=["事業部長"])]

PolicyholderName = Annotated[str, full_width(50), Field(min_length=1, description="保険利用者名（漢字）")]
PolicyholderKana = Annotated[str, full_width(60), Field(min_length=1, description="保険利用者名（カナ）")]
PostalCode = Annotated[str, Field(pattern=r"^[0-9]{3}-[0-9]{4}$", description="郵便番号", examples=["111-1111"])]
Address = Annotated[str, full_width(55), Field(min_length=1, description="所在地")]
CompanyPhone = Annotated[
    str, Field(pattern=r"^[0-9]{1,5}-[0-9]{1,4}-[0-9]{1,5}$", description="代表電話番号", examples=["11-1111-1111"])
]
RegisteredAddress = Annotated[str, full_width(60), Field(min_length=1, description="登記所在地")]
RepresentativeTitle = Annotated[str, full_width(50), Field(description="代表者役職名")]
RepresentativeName = Annotated[str, full_width(15), Field(min_length=1, description="代表者氏名")]
HomePage = Annotated[
    str,
    half_width(90, r"^(https?://[!-~]+)?$"),
    Field(description="ホームページアドレス", examples=["http://www.nexi.go.jp/"]),
]

BankCode = Annotated[str, Field(pattern=r"^[0-9]{4}$", description="金融機関コード")]
BranchCode = Annotated[str, Field(pattern=r"^[0-9]{3}$", description="支店コード")]
AccountNumber = Annotated[str, Field(pattern=r"^[0-9]{7}$", description="口座番号")]
AccountHolder = Annotated[str, full_width(50), Field(min_length=1, description="口座名義人")]
AccountHolderKana = Annotated[str, full_width(60), Field(min_length=1, description="口座名義人カナ")]
