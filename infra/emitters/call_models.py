"""Calls a provider through LiteLLM and through the OpenAI SDK, with the instrumentations that people
use, and lets each of them report to a collector.

usage: call_models.py PROVIDER_URL COLLECTOR_URL
"""

import asyncio
import os
import sys

PROVIDER, COLLECTOR = sys.argv[1:]
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
os.environ["GENERIC_LOGGER_ENDPOINT"] = f"{COLLECTOR}/v1/sources/litellm"
os.environ["OTEL_RESOURCE_ATTRIBUTES"] = "service.name=checkout,tally.tenant=acme"
os.environ["TRACELOOP_TRACE_CONTENT"] = "false"

import litellm
from aiohttp import web
from litellm.integrations.generic_api.generic_api_callback import GenericAPILogger
from openai import AsyncOpenAI
from openinference.instrumentation.openai import OpenAIInstrumentor as OpenInference
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.openai import OpenAIInstrumentor as OpenLlmetry
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

MESSAGES = [{"role": "user", "content": "What do pikes like?"}]
# Far more than it takes: a callback that never comes is an error, not a wait.
LOGGED_WITHIN_S = 60
METADATA = {"user_api_key_org_id": "acme", "user_api_key_team_alias": "search"}


def instrumented():
    provider = TracerProvider()
    exporter = OTLPSpanExporter(endpoint=f"{COLLECTOR}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    OpenLlmetry().instrument(tracer_provider=provider)
    OpenInference().instrument(tracer_provider=provider)
    return provider


async def through_litellm(model, **more):
    arguments = {"api_base": f"{PROVIDER}/v1", "api_key": "none", "num_retries": 0, "max_retries": 0}
    return await litellm.acompletion(
        model=f"openai/{model}", messages=MESSAGES, metadata=METADATA, **arguments, **more
    )


async def start_gateway():
    """A gateway: answers the OpenAI dialect with what LiteLLM gets from the provider."""

    async def answer(request):
        asked = await request.json()
        response = await through_litellm(asked["model"])
        return web.json_response(response.model_dump())

    app = web.Application()
    app.router.add_post("/v1/chat/completions", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, runner.addresses[0][1]


def client_of(url):
    return AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)


class CountingLogger(GenericAPILogger):
    """LiteLLM's own callback; says how many calls it was told of."""

    told = 0

    async def async_log_success_event(self, *args, **named):
        await super().async_log_success_event(*args, **named)
        self.told += 1

    async def async_log_failure_event(self, *args, **named):
        await super().async_log_failure_event(*args, **named)
        self.told += 1


async def until_told(logger, calls):
    # Callbacks run as tasks of their own, after the call has returned.
    while logger.told < calls:
        await asyncio.sleep(0.01)
    await logger.async_send_batch()


async def call():
    logger = CountingLogger()
    litellm.callbacks = [logger]
    await through_litellm("gpt-4o")
    stream = await through_litellm("gpt-4o", stream=True, stream_options={"include_usage": True})
    async for _ in stream:
        pass
    try:
        await through_litellm("overloaded")
    except litellm.RateLimitError:
        pass
    provider = instrumented()
    await client_of(PROVIDER).chat.completions.create(model="gpt-4.1", messages=MESSAGES)
    runner, port = await start_gateway()
    client = client_of(f"http://127.0.0.1:{port}")
    await client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
    await runner.cleanup()
    await asyncio.wait_for(until_told(logger, 4), LOGGED_WITHIN_S)
    provider.shutdown()


asyncio.run(call())
