"""What the portal is told by its environment (PORTAL_…)."""

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class PortalSettings(BaseSettings):
    """The portal has no database and no broker: it needs the addresses of the gateways, and a secret."""

    model_config = SettingsConfigDict(env_prefix="PORTAL_", extra="ignore", hide_input_in_errors=True)

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    identity_url: str = Field(description="identity's gateway")
    accounts_url: str = Field(description="accounts' gateway")
    applications_url: str = Field(description="applications' gateway")
    notifier_url: str = Field(description="the notifier's gateway")
    audit_url: str = Field(description="audit's gateway")
    secret: SecretStr = Field(min_length=32, description="seals what forms carry; the same for all processes")
    gateway_seconds: float = Field(12, gt=0, description="longest wait for an answer of a gateway")
    manual_url: str = Field("https://www.nexi.go.jp/webservice/manual/", description="where マニュアル leads")
    contact_url: str = Field("https://www.nexi.go.jp/contact/", description="where お問い合わせ leads")
    top_url: str = Field("https://www.nexi.go.jp/", description="NEXI's site, from which people come to log in (R32)")
    traces_url: str | None = Field(None, description="collector of spans (OTLP over HTTP); none: no spans")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "text"] = "json"
