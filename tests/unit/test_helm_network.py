"""Who may talk to whom, by the chart's network policies as a cluster reads them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.helm import Json, Rendered, case, render

INGRESS = {"kubernetes.io/metadata.name": "ingress-nginx"}
PROMETHEUS = {"kubernetes.io/metadata.name": "monitoring"}
ELSEWHERE = {"kubernetes.io/metadata.name": "elsewhere"}


@pytest.fixture(scope="module")
def charts() -> list[Rendered]:
    return render(case("everything"), case("gpu-redis-elsewhere"))


def chosen(selector: Json, labels: dict[str, str]) -> bool:
    """Whether a label selector chooses what has these labels."""
    for one in selector.get("matchExpressions", ()):
        assert one["operator"] == "NotIn"
        if labels.get(one["key"]) in one["values"]:
            return False
    return selector.get("matchLabels", {}).items() <= labels.items()


def allowed(chart: Rendered, role: str, way: str) -> list[Json]:
    """The rules for what comes into or goes out of a role's pods; refuses pods that none is for."""
    labels = chart.pods()[role]["metadata"]["labels"]
    mine = [
        one["spec"]
        for one in chart.of("NetworkPolicy").values()
        if way.capitalize() in one["spec"]["policyTypes"]
        and chosen(one["spec"]["podSelector"], labels)
    ]
    assert mine, f"nothing limits what {role} does"
    return [rule for spec in mine for rule in spec.get(way, ())]


def peers(rules: list[Json], way: str) -> list[Json]:
    return [peer for rule in rules for peer in rule["from" if way == "ingress" else "to"]]


def speaks_to(chart: Rendered, role: str, other: str) -> bool:
    """Whether one role's pods get through to another's, by what both sides allow."""
    labels = {name: pod["metadata"]["labels"] for name, pod in chart.pods().items()}

    def one_of(found: list[Json], who: str) -> bool:
        return any(
            "podSelector" in peer
            and "namespaceSelector" not in peer
            and chosen(peer["podSelector"], labels[who])
            for peer in found
        )

    out = one_of(peers(allowed(chart, role, "egress"), "egress"), other)
    return out and one_of(peers(allowed(chart, other, "ingress"), "ingress"), role)


def networks(chart: Rendered, role: str) -> set[str]:
    found = peers(allowed(chart, role, "egress"), "egress")
    return {peer["ipBlock"]["cidr"] for peer in found if "ipBlock" in peer}


def lets_in(chart: Rendered, role: str, namespace: dict[str, str]) -> bool:
    found = peers(allowed(chart, role, "ingress"), "ingress")
    return any(
        "namespaceSelector" in peer and chosen(peer["namespaceSelector"], namespace)
        for peer in found
    )


def test_every_role_speaks_to_redis_and_to_no_other(charts: list[Rendered]) -> None:
    pods = charts[0].pods()
    for role in pods:
        heard = {other for other in pods if speaks_to(charts[0], role, other)}
        assert heard == (set() if role == "redis" else {"redis"}), role


def test_only_who_reads_cameras_and_tells_people_gets_outside(charts: list[Rendered]) -> None:
    cameras, receivers = {"10.20.0.0/16", "fd12::/48"}, {"0.0.0.0/0", "::/0"}
    reached = {role: networks(charts[0], role) for role in charts[0].pods()}
    outside = {role: where for role, where in reached.items() if where}
    assert outside == {"ingest": cameras, "jobs": cameras, "alerts": receivers}


def test_nobody_reaches_where_clouds_hand_out_credentials(charts: list[Rendered]) -> None:
    for chart in charts:
        for role in chart.pods():
            for peer in peers(allowed(chart, role, "egress"), "egress"):
                block: dict[str, Any] = peer.get("ipBlock", {})
                if block.get("cidr") == "0.0.0.0/0":
                    assert "169.254.0.0/16" in block["except"]
                if block.get("cidr") == "::/0":
                    assert "fd00:ec2::254/128" in block["except"]


def test_a_redis_elsewhere_is_the_only_place_that_workers_reach(charts: list[Rendered]) -> None:
    assert networks(charts[1], "worker-gpu") == {"10.0.7.3/32"}
    [ports] = [
        rule["ports"]
        for rule in allowed(charts[1], "worker-gpu", "egress")
        if any("ipBlock" in peer for peer in rule["to"])
    ]
    assert ports == [{"protocol": "TCP", "port": 6380}]


def test_the_dashboard_alone_is_opened_from_other_namespaces(charts: list[Rendered]) -> None:
    for chart in charts:
        for role in chart.pods():
            for_all = role == "dashboard"
            assert lets_in(chart, role, INGRESS) is for_all
            assert lets_in(chart, role, PROMETHEUS) is for_all
            assert not lets_in(chart, role, ELSEWHERE)


def test_names_are_looked_up_at_the_clusters_own_server_only(charts: list[Rendered]) -> None:
    rules = allowed(charts[0], "worker", "egress")
    [dns] = [rule for rule in rules if {"protocol": "UDP", "port": 53} in rule["ports"]]
    assert dns["to"] == [
        {"namespaceSelector": {}, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}
    ]
    assert not allowed(charts[0], "redis", "egress")
