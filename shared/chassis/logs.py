"""Structured logs: one JSON object a line (or coloured text for a terminal), never with message bodies."""

import logging
import sys

import structlog
from structlog.typing import EventDict

from chassis import trace


def configure(service: str, level: str, form: str) -> None:
    """Set up structlog and the standard library's logging for the process."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            lambda _logger, _method, event: _with_origin(event, service),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False)
            if form == "json"
            else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(stream=sys.stderr, level=max(logging.INFO, logging.getLevelNamesMapping()[level]), force=True)
    # These write whole frames and returned messages, bodies included, below WARNING (and one even at ERROR).
    for noisy in ("aiormq", "aio_pika", "aiosmtplib", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL if noisy == "aiormq" else logging.WARNING)


def _with_origin(event: EventDict, service: str) -> EventDict:
    event["service"] = service
    event["trace_id"] = trace.current_trace_id()
    return event
