"""tools/gpu_check against a program that fails in every way, then with the real one, then from a bundle.

usage: gpu_check_test.py SOURCE_DIR BUILD_DIR LIBTORCH_ROOT [unittest's arguments]
"""

import json
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE, BUILD, LIBTORCH = (pathlib.Path(word).resolve() for word in sys.argv[1:4])
FAKE = pathlib.Path(__file__).resolve().with_name("fake_kvscope.py")


def golden_file(path):
    header = json.dumps({"__metadata__": {"kind": "policy"}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.work = pathlib.Path(folder.name)
        self.output = self.work / "out"
        self.said = ""

    def check(self, status, *words, command=(SOURCE / "tools" / "gpu_check",), environment=None):
        """Runs the check; its report."""
        words = [str(word) for word in (*command, "--output", self.output, *words)]
        done = subprocess.run(words, cwd=self.work, env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=500, check=False)
        self.said = done.stdout.decode()
        self.assertEqual(done.returncode, status, self.said + self.logs())
        return self.report()

    def report(self):
        report = json.loads((self.output / "report.json").read_text())
        self.assertEqual(report["format"], 1)
        self.assertTrue((self.output / "report.md").read_text().startswith("# GPU check"))
        return report

    def logs(self):
        return "".join(f"\n{path.name}: {path.read_text(errors='replace')[-2000:]}"
                       for path in sorted(self.output.glob("logs/*.err")))

    def step(self, report, key):
        (step,) = [step for step in report["steps"] if step["key"] == key]
        return step

    def verdicts(self, report):
        return {step["key"]: step["verdict"] for step in report["steps"]}

    def items(self, report, key):
        return [(item["name"], item["verdict"], item["reason"]) for item in self.step(report, key)["items"]]


class WithFake(Case):
    def setUp(self):
        super().setUp()
        self.build, golden = self.work / "build", self.work / "golden"
        for folder in ("experiments", "tests"):
            (self.build / folder).mkdir(parents=True)
        golden.mkdir()
        for program in ("experiments/kvscope", "tests/kvscope_kernels_tests"):
            shutil.copy(FAKE, self.build / program)
            (self.build / program).chmod(0o755)
        for number in range(1, 5):
            golden_file(golden / f"run{number}.safetensors")
        self.words = ["--build", self.build, "--golden", golden]

    def fake(self, status, minutes, *words, **faults):
        return self.check(status, *self.words, "--minutes", minutes, *words,
                          environment=self.environment(faults))

    def environment(self, faults):
        (self.work / "faults.json").write_text(json.dumps(faults))
        return {**os.environ, "KVSCOPE_FAKE": str(self.work / "faults.json")}

    def test_all_is_well(self):
        report = self.fake(0, 1, "--device", "cpu")
        self.assertEqual(set(self.verdicts(report).values()), {"passed"}, self.said)
        self.assertTrue(report["finished"])
        self.assertEqual(len(self.step(report, "b")["items"]), 4)
        page = (self.output / "report.md").read_text()
        for words in ("Fake GPU", "2,000.0", "Sizes/ColumnSum", "run3.safetensors", "100.0 %", "4.00 (40.0 %)"):
            self.assertIn(words, page)
        # 4 GB at 2000 GB/s are 2 ms of a last step of 12.
        self.assertIn("| 2.00 | 16.7 % |", page)
        for path in re.findall(r"(?<![\w./])/\w+/[\w/.]+", page):
            self.assertTrue(path.startswith(str(self.output)), f"a path of this machine: {path}")

    def test_full_sizes(self):
        report = self.fake(0, 1, "--only", "d,e,f")
        self.assertEqual(len(self.step(report, "d")["items"]), 10)
        self.assertEqual(self.items(report, "e")[3][0], "janus_pro_1b, ssd, batch 16")
        self.assertEqual(len(self.step(report, "e")["items"]), 6)
        self.assertEqual(len(self.step(report, "f")["items"]), 6)

    def test_training_ends_before_its_limit_and_keeps_the_checkpoint(self):
        report = self.fake(0, 0.3, "--only", "g")
        (training,) = self.step(report, "g")["items"]
        self.assertEqual(training["result"]["images_per_s"], 123.4)
        self.assertEqual(self.step(report, "g")["processes"][0]["ended_by"], "limit")
        self.assertTrue((self.output / "training" / "model.safetensors").exists())

    def test_too_few_minutes(self):
        report = self.fake(1, 0.05)
        for step in report["steps"]:
            self.assertEqual((step["verdict"], step["reason"]), ("stopped", "not started: no time left"))
        self.assertIn("not started: no time left", self.said)

    def test_a_hang_is_ended_and_the_next_step_runs(self):
        began = time.monotonic()
        report = self.fake(1, 0.2, "--device", "cpu", "--only", "c,d", verify="hang")
        self.assertLess(time.monotonic() - began, 12 + 8)  # what Python needs on a busy machine on top
        self.assertLess(report["seconds"], 12)
        self.assertEqual(self.verdicts(report), {"c": "stopped", "d": "passed"})
        self.assertIn("run1.safetensors", self.step(report, "c")["reason"])

    def test_the_children_of_a_hang_are_ended(self):
        self.fake(1, 0.1, "--device", "cpu", "--only", "c", verify="hang_with_child")
        child = int((self.work / "child").read_text())
        state = pathlib.Path(f"/proc/{child}/stat")
        for _ in range(50):
            if not state.exists() or state.read_text().split()[2] == "Z":
                return
            time.sleep(0.1)
        self.fail("the child still runs")

    def test_one_item_that_hangs_costs_the_others_nothing(self):
        report = self.fake(1, 0.4, "--device", "cpu", "--only", "d", agree="hang_later")
        self.assertEqual([verdict for _, verdict, _ in self.items(report, "d")],
                         ["passed", "stopped"] * 2)

    def test_a_crash_costs_one_item(self):
        report = self.fake(1, 1, "--device", "cpu", "--only", "b,c,d,e", verify="crash", kernels="crash", agree="crash",
                           time="crash")
        # A new process goes on; it crashes at its own second.
        self.assertEqual(self.items(report, "c"), [
            ("run1.safetensors", "passed", None), ("run2.safetensors", "failed", "ended by SIGSEGV"),
            ("run3.safetensors", "passed", None), ("run4.safetensors", "failed", "ended by SIGSEGV")])
        self.assertEqual([verdict for _, verdict, _ in self.items(report, "b")], ["passed", "failed"] * 2)
        self.assertEqual([verdict for _, verdict, _ in self.items(report, "d")], ["passed", "failed"] * 2)
        # Points that are left run alone.
        self.assertEqual([verdict for _, verdict, _ in self.items(report, "e")],
                         ["passed", "failed", "passed", "passed", "passed", "failed"])

    def test_a_lost_gpu_costs_one_item(self):
        report = self.fake(1, 1, "--device", "cpu", "--only", "b,c", verify="cuda_fault", kernels="cuda_fault")
        fault = "CUDA error: an illegal memory access was encountered"
        self.assertEqual(self.items(report, "c")[1:3],
                         [("run2.safetensors", "failed", fault), ("run3.safetensors", "passed", None)])
        self.assertEqual([verdict for _, verdict, _ in self.items(report, "b")],
                         ["passed", "failed", "passed", "passed"])
        self.assertIn(fault, self.items(report, "b")[1][2])

    def test_a_wrong_result_is_a_failure(self):
        report = self.fake(1, 1, "--device", "cpu", "--only", "c", verify="wrong")
        self.assertEqual(self.step(report, "c")["reason"],
                         "run2.safetensors: logits: largest difference 0.5, tolerance 0.0001")

    def test_no_driver(self):
        everywhere = dict.fromkeys(["info", "verify", "agree", "time", "work", "train", "kernels"], "no_driver")
        everywhere["time"] = "no_driver_lines"  # a result that is an error for each point
        report = self.fake(3, 1, **everywhere)
        self.assertEqual(len(self.step(report, "e")["processes"]), 2)
        for step in report["steps"]:
            self.assertEqual(step["verdict"], "failed")
            self.assertIn("no usable GPU here: CUDA driver version is insufficient", step["reason"])
        self.assertEqual(len(self.said.splitlines()), 8, self.said)  # a line a step, and where the report is

    def test_a_broken_plugin(self):
        report = self.fake(1, 1, "--only", "a,c,d", verify="broken_plugin", agree="broken_plugin")
        self.assertEqual(self.verdicts(report), {"a": "passed", "c": "failed", "d": "failed"})
        self.assertIn("cannot load libkvscope_cuda.so: file too short", self.said)

    def test_too_small_a_memory(self):
        report = self.fake(1, 1, "--only", "e,f", time="out_of_memory")
        self.assertEqual(self.verdicts(report), {"e": "failed", "f": "passed"})
        self.assertEqual([verdict for _, verdict, _ in self.items(report, "e")],
                         ["passed", "failed", "passed", "failed", "passed", "failed"])
        self.assertIn("3 of 6, first janus_pro_1b, full, batch 16: CUDA out of memory. Tried to allocate 20.00 GiB",
                      self.said)
        self.assertNotIn("See documentation", self.said)

    def test_a_refused_setting(self):
        report = self.fake(1, 1, "--device", "cpu", "--only", "a,d", agree="refused")
        self.assertEqual(self.step(report, "d")["reason"], "policy=x: no such policy")

    def test_a_loss_that_is_no_number(self):
        report = self.fake(1, 1, "--device", "cpu", "--only", "a,g", train="nan")
        self.assertEqual(self.step(report, "g")["reason"], "the loss is no number")

    def test_a_build_without_kernel_tests(self):
        (self.build / "tests" / "kvscope_kernels_tests").unlink()
        report = self.fake(0, 1, "--device", "cpu", "--only", "a,b")
        self.assertEqual(self.verdicts(report)["b"], "skipped")
        self.assertIn("without kvscope_kernels_tests", self.said)

    def test_the_report_is_whole_at_every_moment(self):
        words = [str(word) for word in (SOURCE / "tools" / "gpu_check", "--output", self.output, *self.words,
                                        "--device", "cpu", "--minutes", 1)]
        with subprocess.Popen(words, cwd=self.work, env=self.environment({}), stdout=subprocess.DEVNULL) as running:
            reports = 0
            while running.poll() is None:
                if (self.output / "report.json").exists() and (self.output / "report.md").exists():
                    self.report()
                    reports += 1
        self.assertGreater(reports, 1)
        self.assertEqual(running.returncode, 0)

    def test_interrupted(self):
        words = [str(word) for word in (SOURCE / "tools" / "gpu_check", "--output", self.output, *self.words,
                                        "--device", "cpu", "--minutes", 5, "--only", "a,c,d")]
        with subprocess.Popen(words, cwd=self.work, env=self.environment({"verify": "hang"}),
                              stdout=subprocess.PIPE) as running:
            running.stdout.readline()  # step a is over
            running.send_signal(signal.SIGINT)
            running.communicate(timeout=60)
        self.assertEqual(running.returncode, 130)
        report = self.report()
        self.assertEqual(self.verdicts(report), {"a": "passed", "c": "stopped", "d": "stopped"})
        self.assertEqual(self.step(report, "d")["reason"], "interrupted")

    def refused(self, text, *words):
        done = subprocess.run([str(word) for word in (SOURCE / "tools" / "gpu_check", *self.words, *words)],
                              cwd=self.work, env=self.environment({}), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, check=False)
        self.assertIn(text, done.stdout.decode())
        return done.returncode

    def test_wrong_options(self):
        for words in (["--minutes", "0"], ["--minutes", "x"], ["--only", "z"], ["--device", "gpu"], ["--hlep"]):
            self.assertEqual(self.refused("error: ", *words), 2)

    def test_folders_that_cannot_be_used(self):
        (self.work / "file").write_text("")
        self.assertEqual(self.refused("cannot write into", "--output", self.work / "file"), 3)
        self.assertEqual(self.refused("cannot write into", "--output", "/proc/none"), 3)
        precious = self.work / "precious" / "logs"
        precious.mkdir(parents=True)
        self.assertEqual(self.refused("other things than an earlier report", "--output", precious.parent), 3)
        self.assertTrue(precious.exists())
        self.assertEqual(self.refused("no program at", "--build", self.work / "none", "--output", self.output), 3)

    def test_an_earlier_report_is_replaced(self):
        self.fake(0, 1, "--device", "cpu", "--only", "a")
        report = self.fake(0, 1, "--device", "cpu", "--only", "c")
        self.assertEqual(self.verdicts(report), {"c": "passed"})


def has_gpu():
    return os.path.exists("/dev/nvidiactl")


class WithProgram(Case):
    def test_from_the_checkout(self):
        report = self.check(0, "--build", BUILD, "--device", "cpu", "--minutes", 2)
        self.assertEqual(set(self.verdicts(report).values()), {"passed"}, self.said)

    def test_from_a_bundle(self):
        bundle = self.work / "moved" / "bundle"
        subprocess.run([SOURCE / "tools" / "bundle", "--build", BUILD, "--output", self.work / "bundle"],
                       check=True, stdout=subprocess.DEVNULL)
        bundle.parent.mkdir()
        (self.work / "bundle").rename(bundle)
        bare = {"PATH": "/usr/bin:/bin", "LIBTORCH_ROOT": str(LIBTORCH)}
        made = {path.name for path in bundle.iterdir()}
        command = ("/usr/bin/env", "python3", bundle / "gpu_check")
        report = self.check(0, "--device", "cpu", "--minutes", 2, "--only", "a,b,c,d", command=command,
                            environment=bare)
        self.assertEqual(set(self.verdicts(report).values()), {"passed"}, self.said)
        if not has_gpu():
            report = self.check(3, "--minutes", 1, command=command, environment=bare)
            for step in report["steps"]:
                self.assertEqual(step["verdict"], "failed", self.said)
                self.assertIn("no usable GPU here", step["reason"])
        self.assertEqual({path.name for path in bundle.iterdir()} - made, {"bin", "lib", "golden"})
        self.assertEqual(list(bundle.rglob("__pycache__")), [])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[4:])
