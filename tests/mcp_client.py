"""The official client reads the inbox: python mcp_client.py URL TOKEN. tests/mcp.sh starts the server."""

import asyncio
import json
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client

TOOLS = ["list_chats", "read_chat", "search_messages", "list_undelivered", "list_alerts"]


def text(result):
    assert not result.is_error, result
    return json.loads(result.content[0].text)


async def read(url, token, mode):
    headers = {"Authorization": f"Bearer {token}"}
    async with create_mcp_http_client(headers=headers) as http:
        async with Client(streamable_http_client(url, http_client=http), mode=mode) as client:
            listed = await client.list_tools()
            assert [tool.name for tool in listed.tools] == TOOLS, listed
            assert all(tool.annotations.read_only_hint for tool in listed.tools), listed
            chats = text(await client.call_tool("list_chats", {}))["data"]
            assert chats, "no chat"
            for chat in chats:
                arguments = {"instance": chat["idInstance"], "chat": chat["chatId"]}
                messages = text(await client.call_tool("read_chat", arguments))["data"]
                newest = chat["lastMessage"]["seq"]
                assert [one for one in messages if one["seq"] == newest], (chat, messages)
            refused = await client.call_tool("search_messages", {"q": "bread", "since": "yesterday"})
            assert refused.is_error and "`since` must be" in refused.content[0].text, refused
            return len(chats)


async def main(url, token):
    for mode in ["legacy", "auto"]:
        chats = await read(url, token, mode)
        print(f"{mode}: {len(TOOLS)} tools, {chats} chats read")
    try:
        await read(url, "wrong", "legacy")
    except BaseException as failure:
        print(f"a wrong token: {type(failure).__name__}")
    else:
        raise AssertionError("a wrong token was accepted")


asyncio.run(main(*sys.argv[1:]))
