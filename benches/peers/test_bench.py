"""What the bench makes of what it saw: `python3 -m unittest discover -s benches/peers`."""

import sys
import unittest

sys.dont_write_bytecode = True

from bench import aims, figures, table, tools  # noqa: E402
from bench.accuracy import document_of, errors  # noqa: E402
from bench.places import Failure  # noqa: E402


def seen(port, number, out, in_):
    return port, number.to_bytes(16, "big"), out, in_


class Pairing(unittest.TestCase):
    def test_a_heartbeat_is_known_by_its_port_and_number(self):
        rows = [seen(1, 0, 100, 90), seen(2, 0, 200, 190), seen(1, 1, 300, 290)]
        found = errors("a", {(1, 1): 310, (2, 0): 195}, rows)
        self.assertEqual(sorted(found["error_ns"]), [5, 20])
        self.assertEqual(sorted(found["error_from_out_ns"]), [-5, 10])

    def test_a_heartbeat_that_was_not_captured_is_no_measurement(self):
        with self.assertRaises(Failure):
            errors("a", {(1, 5): 310}, [seen(1, 0, 100, 90)])

    def test_what_has_no_number_is_in_order_and_only_the_last_may_lack_its_line(self):
        rows = [seen(1, 0, 100, 90), seen(1, 1, 200, 190)]
        self.assertEqual(errors("a", [95], rows)["error_ns"], [5])
        for reported in ([], [1, 2, 3]):
            with self.assertRaises(Failure):
                errors("a", reported, [*rows, rows[0], rows[0]] if not reported else rows)

    def test_wschecks_lines_name_the_port(self):
        lines = (
            '{"event":"opened","connection":{"target":0,"index":3},"local":"127.0.0.1:50000"}\n'
            '{"event":"heartbeat","connection":{"target":0,"index":3},"seq":2,"rtt_ms":0.177}\n'
            '{"event":"heartbeat","connection":{"target":0,"index":3},"seq":3,"rtt_ms":null}\n'
            '{"schema_version":1,"exit_code":4}\n'
        )
        self.assertEqual(tools.ndjson(lines, ""), {(50000, 2): 177000})
        self.assertEqual(document_of(lines)["exit_code"], 4)
        self.assertEqual(document_of('{\n  "exit_code": 1\n}\n')["exit_code"], 1)

    def test_websocat_speaks_on_stderr(self):
        self.assertEqual(tools.websocat_lines("", "RTT 0.000140 s\nRTT 1.000001 s\n"), [140_000, 1_000_001_000])


class Figures(unittest.TestCase):
    def test_percentiles_are_by_nearest_rank(self):
        # The worked example of Wikipedia's "Percentile", nearest-rank method.
        values = [50, 15, 40, 20, 35]
        self.assertEqual([figures.percentile(values, part) for part in (5, 30, 40, 50, 100)], [15, 20, 20, 35, 50])

    def test_ratios_and_differences_are_of_the_same_round(self):
        self.assertEqual(figures.ratios([1, 4, 9], [2, 2, 2]), (2, 0.5, 4.5))
        self.assertEqual(figures.difference([5, 9, 30], [4, 2, 1]), 7)

    def test_an_aim_is_met_at_its_bound_and_missed_by_what_is_over(self):
        self.assertEqual(aims.judged(10, 10, "µs")[1], "met")
        self.assertEqual(aims.judged(10.5, 10, "µs")[1], "**not met: by 0.50 µs**")
        self.assertEqual(aims.judged(0.95, -0.9, "")[1], "met")
        self.assertEqual(aims.judged(0.8, -0.9, "")[1], "**not met: by 0.10**")

    def test_errors_over_http2_are_compared_with_those_over_http1(self):
        rounds = lambda *errors: [{"error_ns": [error]} for error in errors]  # noqa: E731
        result = {"single": {"wscheck": rounds(9_000, 12_000), "wscheck over HTTP/2": rounds(4_000, 5_000)}}
        *_, (aim, found, most, _) = aims.findings(result)
        self.assertIn("HTTP/2", aim)
        self.assertEqual((found, most), (6.0, 10))

    def test_a_version_is_its_number(self):
        said = "wscheck 0.2.0 (0123abc)\nfeatures: netlink"
        self.assertEqual([table.number(text) for text in (said, "v20.19.2", "1.14.1")], ["0.2.0", "20.19.2", "1.14.1"])

    def test_a_bound_from_below_is_negative(self):
        result = {"flood": {"minimal blocking client": [100], "wscheck ping --adaptive": [91]}}
        ((_, found, most, _),) = aims.findings(result)
        self.assertEqual((found, most), (0.91, -0.9))
        self.assertIn("0.91 (0.91 to 0.91)", table.flood(result))


if __name__ == "__main__":
    unittest.main()
