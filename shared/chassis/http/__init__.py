"""HTTP: a handler's signature is parser, validator and documentation at once."""

from chassis.http.application import build_application, compile_routes
from chassis.http.bodies import receive
from chassis.http.endpoints import Caller
from chassis.http.models import Answer, Body, Header, View
from chassis.http.once import once
from chassis.http.openapi import document
from chassis.http.plans import Unusable
from chassis.http.problems import (
    BodyTooLarge,
    BodyTooSlow,
    Busy,
    FieldError,
    Forbidden,
    InternalError,
    Invalid,
    MalformedJson,
    MalformedRequest,
    MethodNotAllowed,
    NotFound,
    Problem,
    StepUpRequired,
    Unauthenticated,
    UnsupportedMediaType,
)
from chassis.http.routes import PUBLIC, Route, Routes
from chassis.http.sentences import field_errors
from chassis.http.server import Serving, serve
from chassis.http.sources import source_of

__all__ = [
    "PUBLIC",
    "Answer",
    "Body",
    "BodyTooLarge",
    "BodyTooSlow",
    "Busy",
    "Caller",
    "FieldError",
    "Forbidden",
    "Header",
    "InternalError",
    "Invalid",
    "MalformedJson",
    "MalformedRequest",
    "MethodNotAllowed",
    "NotFound",
    "Problem",
    "Route",
    "Routes",
    "Serving",
    "StepUpRequired",
    "Unauthenticated",
    "UnsupportedMediaType",
    "Unusable",
    "View",
    "build_application",
    "compile_routes",
    "document",
    "field_errors",
    "once",
    "receive",
    "serve",
    "source_of",
]
