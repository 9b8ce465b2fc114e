"""A Slurm of one pretended node, on loopback and in one folder, run by whoever runs this."""

import os
import shutil
import signal
import socket
import subprocess
import time

PROGRAMS = ["munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "sinfo", "scancel"]
CONFIGURATION = """\
ClusterName=kvscope
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
SlurmdParameters=config_overrides
AuthType=auth/munge
AuthInfo=socket={folder}/run/munge.sock
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/slurmd.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=512
SchedulerType=sched/backfill
SchedulerParameters=sched_min_interval=100000,sched_interval=1,bf_interval=1,batch_sched_delay=0
ReturnToService=2
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MailProg=/bin/true
MinJobAge=3600
KillWait=5
NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=8192 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing():
    """What of Slurm is not here, in words; empty where all is."""
    absent = [name for name in PROGRAMS if not shutil.which(name)]
    if absent:
        return f"no {', '.join(absent)} here"
    return "" if os.getuid() == 0 else "a Slurm of one's own needs root"


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class SlurmCluster:
    """Runs while it is entered; `environment` is what its clients need."""

    def __init__(self, folder):
        self.folder = os.path.abspath(folder)
        self.configuration = os.path.join(self.folder, "slurm.conf")
        self.environment = {"SLURM_CONF": self.configuration}

    def _run(self, *words, check=True):
        answer = subprocess.run(words, env={**os.environ, **self.environment}, capture_output=True, text=True,
                                stdin=subprocess.DEVNULL, check=False)
        if check and answer.returncode != 0:
            raise RuntimeError(f"{' '.join(words)}: exit {answer.returncode}: {answer.stderr}")
        return answer.stdout

    def __enter__(self):
        for name in ("state", "spool", "run", "log"):
            os.makedirs(os.path.join(self.folder, name), exist_ok=True)
        os.chmod(self.folder, 0o755)
        for name, mode in (("state", 0o755), ("spool", 0o755), ("log", 0o755), ("run", 0o711)):
            os.chmod(os.path.join(self.folder, name), mode)
        key = os.path.join(self.folder, "munge.key")
        with open(os.open(key, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(os.urandom(1024))
        controller_port, node_port = free_ports(2)
        with open(self.configuration, "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(host=socket.gethostname().split(".")[0], controller_port=controller_port,
                                            node_port=node_port, folder=self.folder, user="root"))
        run = os.path.join(self.folder, "run")
        self._run("munged", f"--socket={run}/munge.sock", f"--key-file={key}", f"--pid-file={run}/munged.pid",
                  f"--log-file={self.folder}/log/munged.log", f"--seed-file={self.folder}/munge.seed",
                  "--num-threads=1")
        self.start_controller()
        self._run("slurmd", "-f", self.configuration)
        deadline = time.monotonic() + 60
        while self._run("sinfo", "-h", "-o", "%T", check=False).strip() != "idle":
            if time.monotonic() > deadline:
                raise RuntimeError("the node does not come up: " + self._run("sinfo", "-R", check=False))
            time.sleep(0.1)
        return self

    def start_controller(self):
        self._run("slurmctld", "-f", self.configuration)

    def _process(self, name):
        try:
            with open(os.path.join(self.folder, "run", name), encoding="utf-8") as file:
                return int(file.read())
        except (OSError, ValueError):
            return None

    def _end(self, name):
        process = self._process(name)
        if process is None:
            return
        try:
            os.kill(process, signal.SIGTERM)
        except ProcessLookupError:
            return
        deadline = time.monotonic() + 30
        while os.path.exists(f"/proc/{process}") and time.monotonic() < deadline:
            time.sleep(0.05)

    def restart_controller(self):
        self._end("slurmctld.pid")
        self.start_controller()

    def tasks(self):
        """(id, state) of every task that is queued or runs."""
        lines = self._run("squeue", "-h", "-r", "-o", "%i %T", check=False).splitlines()
        return [tuple(line.split()) for line in lines]

    def cancel(self, *tasks):
        self._run("scancel", *tasks, check=False)

    def drain(self):
        """Cancels everything and waits until nothing runs."""
        self._run("scancel", "--user=root", check=False)
        deadline = time.monotonic() + 30
        while self.tasks() and time.monotonic() < deadline:
            time.sleep(0.1)

    def __exit__(self, *_):
        self.drain()
        self._end("slurmd.pid")
        self._end("slurmctld.pid")
        self._run("munged", f"--socket={self.folder}/run/munge.sock", "--stop", check=False)
