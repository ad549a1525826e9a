"""What every service says of itself."""

from __future__ import annotations

from conformance.simulators.provider import Answer, Call

__all__ = ["health", "health_check", "metrics", "statistics"]


def health(call: Call) -> Answer:
    """``GET /health``: an empty 200."""
    return Answer(content_type=None)


def health_check(call: Call) -> Answer:
    """``GET /v1/health_check``."""
    about = "OPEA Microservice Infrastructure"
    return Answer(payload={"Service Title": "ChatQnAService", "Version": "1.5", "Service Description": about})


def statistics(call: Call) -> Answer:
    """``GET /v1/statistics``: nulls before there was traffic; afterwards figures that follow the number of requests."""
    found = {}
    for name, count in call.state.counts.items():
        seconds = round(0.1 + count / 100, 4) if count else None
        figures = {f"{kind}_latency": seconds for kind in ("p50", "p99", "average")}
        found[name] = {**figures, **{f"{kind}_latency_first_token": None for kind in ("p50", "p99", "average")}}
    return Answer(payload=found)


def metrics(call: Call) -> Answer:
    """``GET /metrics``."""
    lines = [
        "# HELP http_requests_total Total number of requests by method, status and handler.",
        "# TYPE http_requests_total counter",
    ]
    for name, count in call.state.counts.items():
        lines.append(f'http_requests_total{{handler="{name}",method="POST",status="2xx"}} {float(count)}')
    lines += [
        "# HELP megaservice_request_latency Whole LLM request/reply latency (histogram)",
        "# TYPE megaservice_request_latency histogram",
        'megaservice_request_latency_bucket{le="0.5"} 1.0',
        'megaservice_request_latency_bucket{le="+Inf"} 2.0',
        "megaservice_request_latency_count 2.0",
        "megaservice_request_latency_sum 1.25",
        "# HELP megaservice_request_pending Count of currently pending requests (gauge)",
        "# TYPE megaservice_request_pending gauge",
        "megaservice_request_pending 0.0",
    ]
    body = ("\n".join(lines) + "\n").encode()
    return Answer(body=body, content_type="text/plain; version=0.0.4; charset=utf-8")
