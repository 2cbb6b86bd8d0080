"""JUnit XML report of a suite for CI servers: one test suite a scenario, one test case a seed.

Format: junit-10.xsd, the schema of Jenkins' JUnit plugin.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from embodied.suite.seed_run import INFRASTRUCTURE, Result, Scenario
from embodied.suite.summary import Summary

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(summary: Summary) -> bytes:
    """Render a summary as JUnit XML; a case that did not pass has the command that runs it again."""
    root = ET.Element("testsuites", name="embodied", time=f"{summary.wall:.3f}")
    for scenario in summary.scenarios:
        results = summary.tally(scenario).results
        suite = ET.SubElement(root, "testsuite", name=scenario.name, tests=str(len(results)))
        suite.set("failures", str(sum(r.status in ("failed", "nondeterministic") for r in results)))
        suite.set("errors", str(sum(r.status in ("error", INFRASTRUCTURE) for r in results)))
        suite.set("time", f"{sum(r.wall for r in results):.3f}")
        for result in results:
            _case(suite, scenario, result)
    for element in root.iter():
        element.text = element.text and _NOT_XML.sub("\ufffd", element.text)
        element.attrib.update({key: _NOT_XML.sub("\ufffd", value) for key, value in element.attrib.items()})
    ET.indent(root)
    xml: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return xml


def _case(suite: ET.Element, scenario: Scenario, result: Result) -> None:
    case = ET.SubElement(suite, "testcase", classname=scenario.name, name=f"seed {result.seed}")
    case.set("time", f"{result.wall:.3f}")
    if result.status != "passed":
        tag = "failure" if result.status in ("failed", "nondeterministic") else "error"
        failure = ET.SubElement(
            case, tag, message=result.reason.splitlines()[0][:300] if result.reason else result.status
        )
        failure.set("type", result.status)
        faults = "".join(f"fault: {fault}\n" for fault in result.effective_faults)
        failure.text = f"{result.reason}\n{faults}run it again: {scenario.command(result.seed)}\n"
    lines = [f"digest {result.digest}"] if result.digest else []
    lines += [f"tried again after: {note}" for note in result.reruns]
    lines += [result.output] if result.output else []
    if lines:
        ET.SubElement(case, "system-out").text = "\n".join(lines)
