"""Where images may come from: listed kinds and places, no chains, no machine of a private network, however spelled."""

from __future__ import annotations

import ipaddress
import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attune.labeler import settings as reader
from attune.labeler.assets import image_sources, media
from attune.labeler.assets.reach import Reach
from attune.labeler.settings import Settings
from attune.models.errors import SettingsError, UnreadableItem
from attune.workers.jobs.embed import read_asset
from tests.labeler.assets.test_add import held, put_in
from tests.support import web
from tests.support.factories import picture

pytestmark = pytest.mark.torch

PRIVATE_4 = [
    "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "0.0.0.0/8",
    "224.0.0.0/4", "240.0.0.0/4",
]  # fmt: skip
PRIVATE_6 = ["::1/128", "::/128", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "2001:db8::/32"]
private_4 = st.sampled_from(PRIVATE_4).flatmap(lambda network: st.ip_addresses(network=network))
private_6 = st.sampled_from(PRIVATE_6).flatmap(lambda network: st.ip_addresses(network=network))
public_4 = st.ip_addresses(v=4).filter(lambda one: one.is_global and not one.is_multicast)
WEB = Reach("https, http")


def spellings_4(number: ipaddress.IPv4Address | ipaddress.IPv6Address) -> list[str]:
    """Ways in which a resolver, or a reader of addresses, takes an IPv4 number."""
    whole, parts = int(number), str(number).split(".")
    mapped = f"{whole:08x}"
    return [
        str(number),
        f"{number}.",
        str(whole),
        hex(whole),
        f"0{whole:o}",
        ".".join(f"0{int(part):o}" for part in parts),
        ".".join(hex(int(part)) for part in parts),
        f"{parts[0]}.{whole & 0xFFFFFF}",
        f"{parts[0]}.{parts[1]}.{whole & 0xFFFF}",
        "".join(f"%{ord(letter):02x}" for letter in str(number)),
        str(number).translate({ord(digit): 0xFF10 + int(digit) for digit in "0123456789"}),
        f"[::ffff:{number}]",
        f"[::ffff:{mapped[:4]}:{mapped[4:]}]",
        f"[::{number}]",
        f"[64:ff9b::{mapped[:4]}:{mapped[4:]}]",
        f"[2002:{mapped[:4]}:{mapped[4:]}::]",
    ]


@given(private_4.flatmap(lambda number: st.sampled_from(spellings_4(number))), st.sampled_from(["", "me@", "a:b@"]))
def test_no_spelling_of_a_private_number_is_read(host: str, user: str) -> None:
    with pytest.raises(UnreadableItem, match="ATTUNE_PRIVATE_HOSTS"):
        WEB.check(f"http://{user}{host}/latest/meta-data")


@given(private_6, st.booleans())
def test_no_private_number_of_ipv6_is_read(number: ipaddress.IPv6Address, long: bool) -> None:
    with pytest.raises(UnreadableItem, match="ATTUNE_PRIVATE_HOSTS"):
        WEB.check(f"https://[{number.exploded if long else number}]:8443/a.png")


@given(public_4)
def test_a_public_number_is_read(number: ipaddress.IPv4Address) -> None:
    Reach().check(f"https://{number}/a.png")
    Reach().check(f"https://[::ffff:{number}]/a.png")


@given(private_4, st.integers(8, 32))
def test_a_network_that_is_listed_is_read(number: ipaddress.IPv4Address, length: int) -> None:
    network = ipaddress.ip_network((number, length), strict=False)
    listed = reader.build({"ATTUNE_PRIVATE_HOSTS": f"store.lan, {network}"}).private_hosts
    Reach("http", listed).check(f"http://{number}/a.png")
    Reach("http", listed).check(f"http://[::ffff:{number}]/a.png")


@given(
    st.sampled_from(["reference://x", "simplecache", "zip://a.png", "filecache", "github://o:r@main/x", "tar://a.png"]),
    st.sampled_from(["http://10.0.0.1/x", "https://example.org/x", "file:///etc/passwd", "s3://bucket/x"]),
)
def test_no_chain_is_followed(outer: str, inner: str) -> None:
    with pytest.raises(UnreadableItem, match=r"chain.*%3A%3A"):
        Reach().check(f"{outer}::{inner}")
    with pytest.raises(UnreadableItem, match="chain"):
        Reach().check(f"https://example.org/a.png::{inner}")


@pytest.mark.parametrize(
    "address",
    ["https://example.org/a.png?s=1", "s3://bucket/a b.png", "s3a://bucket/x", "gs://bucket/x", "az://box/x",
     "abfs://box@account.dfs.core.windows.net/x", "abfss://box/x"],
)  # fmt: skip
def test_the_usual_kinds_are_read(address: str) -> None:
    Reach().check(address)


@pytest.mark.parametrize(
    "address",
    ["http://example.org/a.png", "memory://a.png", "ftp://example.org/a.png", "sftp://example.org/a.png",
     "github://o:r@main/a.png", "reference://a", "data://a", "local://etc/passwd", "zip://a.png"],
)  # fmt: skip
def test_other_kinds_are_refused_with_the_setting(address: str) -> None:
    with pytest.raises(UnreadableItem, match="ATTUNE_IMAGE_SOURCES"):
        Reach().check(address)


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("s3://art/posters/a.png", True),
        ("s3://art/posters/../secret.png", False),
        ("s3://art/posters/%2e%2e/secret.png", False),
        ("s3://art/posters-not-yet-out/a.png", False),
        ("s3://art/a.png", False),
        ("s3://other/posters/a.png", False),
        ("gs://art/posters/a.png", False),
        ("https://CDN.example.org/a.png", True),
        ("https://cdn.example.org@evil.example/a.png", False),
        ("https://cdn.example.org.evil.example/a.png", False),
    ],
)
def test_a_listed_place_opens_what_lies_below_it(address: str, allowed: bool) -> None:
    reach = Reach(reader.build({"ATTUNE_IMAGE_SOURCES": "s3://art/posters/,https://cdn.example.org"}).image_sources)
    if allowed:
        reach.check(address)
        return
    with pytest.raises(UnreadableItem, match="s3://art/posters, https"):
        reach.check(address)


@pytest.mark.parametrize(
    ("name", "value"),
    [("IMAGE_SOURCES", "sftp"), ("IMAGE_SOURCES", " , "), ("IMAGE_SOURCES", "s3://"), ("IMAGE_SOURCES", "a::s3://b"),
     ("PRIVATE_HOSTS", "http://minio.lan"), ("PRIVATE_HOSTS", "10.20.0"), ("PRIVATE_HOSTS", "a b")],
)  # fmt: skip
def test_what_cannot_be_listed_is_said(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"ATTUNE_{name}.*separated by commas"):
        reader.build({f"ATTUNE_{name}": value})


def test_the_reach_comes_to_every_part(settings: Settings) -> None:
    given = reader.build({"ATTUNE_IMAGE_SOURCES": "file,S3://Art/Posters/", "ATTUNE_PRIVATE_HOSTS": "Minio.LAN.,::1"})
    assert (given.image_sources, given.private_hosts) == ("file, s3://art/Posters", "minio.lan, ::1")
    assert reader.build(given.environment()) == given


def test_folders_of_this_machine_can_be_limited(settings: Settings, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "private.jpg").write_bytes(picture(50))
    os.symlink(tmp_path / "private.jpg", folder / "link.jpg")
    limited = replace(settings, image_sources=str(folder))
    manifest = tmp_path / "list.csv"
    manifest.write_text(f"uri\n{folder}/a.jpg\n{tmp_path}/private.jpg\n{folder}/../private.jpg\n{folder}/link.jpg\n")
    summary = put_in(limited, manifest=manifest)
    assert (summary.added, [reason for _, reason, _ in summary.refused]) == (1, ["place not allowed"] * 3)
    assert "Row 3 of list.csv" in summary.refused[0][2] or "Line 3 of list.csv" in summary.refused[0][2]
    assert put_in(limited, tmp_path).added == 0
    assert put_in(limited, folder / "b.jpg").added == 1


# -- what is connected to ----------------------------------------------------------------------------------------------
def test_a_manifest_cannot_make_this_machine_read_its_own_network(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "good.jpg").write_bytes(picture(1))
    (tmp_path / "set.json").write_text('{"version": 1, "refs": {}}')
    with web.answers({"/inside.jpg": picture(2)}) as (address, asked):
        bad = [
            f"{address}/inside.jpg",
            f"simplecache::{address}/inside.jpg",
            "memory://x.jpg",
            "https://localhost/x.jpg",
        ]
        bad.append(f"reference://x.jpg::file://{tmp_path}/set.json")
        manifest = tmp_path / "list.csv"
        manifest.write_text("uri\n" + "\n".join([*bad, str(tmp_path / "good.jpg")]) + "\n")
        summary = put_in(settings, manifest=manifest)
    assert asked == []
    assert list(held(settings)) == ["good.jpg"], "the good rest goes on"
    assert [reason for _, reason, _ in summary.refused] == [
        "place not allowed", "chain of addresses", "place not allowed", "chain of addresses", "private address",
    ]  # fmt: skip
    for _, _, message in summary.refused:
        assert "ATTUNE_IMAGE_SOURCES" in message or "ATTUNE_PRIVATE_HOSTS" in message or "%3A%3A" in message


def test_an_image_that_is_in_the_pool_already_is_not_read_from_there_either(settings: Settings) -> None:
    with web.answers({"/a.jpg": picture(2)}) as (address, asked):
        opened = replace(settings, image_sources="http", private_hosts="127.0.0.0/8")
        assert put_in(opened, f"{address}/a.jpg").added == 1
        asked.clear()
        for look in (media.open_asset, media.thumbnail, read_asset):
            with pytest.raises(UnreadableItem, match="ATTUNE_IMAGE_SOURCES"):
                look(settings, held(settings)["a.jpg"])
    assert asked == []


def test_a_redirect_goes_nowhere_that_the_address_itself_could_not(settings: Settings) -> None:
    pages: dict[str, bytes | str] = {"/inside.jpg": picture(2), "/there.jpg": "/inside.jpg"}
    with web.answers(pages) as (address, _), web.answers(pages) as (other, asked_there):
        port = address.rpartition(":")[2]
        pages["/to-number.jpg"] = other.replace("127.0.0.1", "127.0.0.2") + "/inside.jpg"
        pages["/to-decimal.jpg"] = other.replace("127.0.0.1", "2130706434") + "/inside.jpg"
        pages["/to-name.jpg"] = other.replace("127.0.0.1", "localhost") + "/inside.jpg"
        pages["/to-file.jpg"] = "ftp://example.org/a.jpg"
        reach = Reach("http", "127.0.0.1, store.example")
        assert image_sources.read(f"{address}/there.jpg", "x", reach) == picture(2)
        # localhost is 127.0.0.1, which is listed by its number.
        assert image_sources.read(f"{address}/to-name.jpg", "x", Reach("http", "127.0.0.1, ::1")) == picture(2)
        asked_there.clear()
        for page in ("/to-number.jpg", "/to-decimal.jpg"):
            with pytest.raises(UnreadableItem, match="ATTUNE_PRIVATE_HOSTS"):
                image_sources.read(f"{address}{page}", "x", reach)
            with pytest.raises(UnreadableItem, match="ATTUNE_PRIVATE_HOSTS"):
                image_sources.is_folder(f"{address}{page}", reach)
        with pytest.raises(UnreadableItem):
            image_sources.read(f"{address}/to-file.jpg", "x", reach)
        with pytest.raises(UnreadableItem, match="ATTUNE_IMAGE_SOURCES"):
            image_sources.read(
                f"{address}/to-name.jpg", "x", Reach(f"http://127.0.0.1:{port}", "127.0.0.0/8, localhost")
            )
        assert asked_there == []


def test_a_name_is_judged_by_the_number_that_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the resolver answers is checked and connected to, without a second question that gets another answer."""
    led: list[str] = []

    async def resolve(self: object, host: str, port: int = 0, family: int = 0) -> list[dict[str, object]]:
        led.append(host)
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}]

    monkeypatch.setattr("aiohttp.ThreadedResolver.resolve", resolve)
    with web.answers({"/a.jpg": picture(2)}) as (address, asked):
        port = address.rpartition(":")[2]
        with pytest.raises(UnreadableItem, match=r"rebinds\.example \(127\.0\.0\.1\).*ATTUNE_PRIVATE_HOSTS"):
            image_sources.read(f"http://rebinds.example:{port}/a.jpg", "x", Reach("http", "10.0.0.0/8"))
        assert (asked, set(led)) == ([], {"rebinds.example"})
        assert image_sources.read(f"http://store.example:{port}/a.jpg", "x", Reach("http", "store.example")) == picture(
            2
        )
