"""Exports the same spans with the OpenTelemetry SDK by protobuf and by JSON.

usage: export_spans.py ENDPOINT_OF_PROTOBUF ENDPOINT_OF_JSON
"""

import sys

from opentelemetry.exporter.otlp.json.http.trace_exporter import OTLPSpanExporter as JsonExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Link, SpanKind, Status, StatusCode


def main(protobuf: str, json: str) -> None:
    resource = Resource.create({"service.name": "checkout", "tenant.id": "acme"})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(
        SimpleSpanProcessor(OTLPSpanExporter(endpoint=protobuf, compression=Compression.Gzip))
    )
    provider.add_span_processor(SimpleSpanProcessor(JsonExporter(endpoint=json)))
    tracer = provider.get_tracer("example.instrumentation", "1.2.3")

    with tracer.start_as_current_span("invoke_agent Weather", kind=SpanKind.CLIENT) as agent:
        agent.set_attributes(
            {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Weather"}
        )
        link = Link(agent.get_span_context())
        with tracer.start_as_current_span("chat gpt-5", kind=SpanKind.CLIENT, links=[link]) as chat:
            chat.set_attributes(
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-5",
                    "gen_ai.request.temperature": 0.25,
                    "gen_ai.response.model": "gpt-5-2026-08-01",
                    "gen_ai.response.id": "chatcmpl-ä€",
                    "gen_ai.response.finish_reasons": ["stop"],
                    "gen_ai.usage.input_tokens": 47209,
                    "gen_ai.usage.output_tokens": 512,
                    "gen_ai.usage.cache_read.input_tokens": 45102,
                    "gen_ai.input.messages": "content " * 1000,
                    "tally.tag.feature": "search",
                }
            )
            chat.add_event(
                "gen_ai.evaluation.result",
                {"gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 0.75},
            )
        with tracer.start_as_current_span("execute_tool search") as tool:
            tool.set_attributes(
                {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"}
            )
            tool.record_exception(TimeoutError("slow"))
            tool.set_status(Status(StatusCode.ERROR, "slow"))
        with tracer.start_as_current_span("SELECT"):
            pass
    provider.shutdown()


main(*sys.argv[1:])
