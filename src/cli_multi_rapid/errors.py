"""Every error a user can meet, as one tree. A class docstring is the message where none is given.

CmrError
├── UsageError (2)          CommandUnknown · PhaseUnknown · JobUnknown · RunUnknown · StepUnknown · GateUnknown
│                           CodeUnknown · InputInvalid · ProjectMissing · RunFinished · SpecInvalid (many problems)
│                           StepNotWaiting · SignatureFailed
├── CouldNotRun (3)         ToolMissing · StateDamaged · StateForeign · StateUnwritable · ProcessSurvived ·
│                           EvidenceMissing · FolderUnwritable · GitFailed · GitTimeout · WorktreeUnfit ·
│                           AdvisoriesUnusable · GatesMissing · ContractsMissing
├── RunStuck (1)            · ModelsRefused (many problems, a SpecInvalid)
├── WaitingForPerson (4)    ProjectUntrusted · StepHalfDone · ApprovalRefused · ApprovalStale · ApprovalExpired
├── ProjectBusy (75)        · Fenced
└── InternalError (70)
"""

from dataclasses import dataclass
from inspect import cleandoc


class CmrError(Exception):
    """Something the user can fix."""

    code = "ERROR"
    exit_code = 1
    hint = ""
    explanation = ""

    def __init__(self, message: str = "", *, where: str = "", hint: str = "") -> None:
        super().__init__(message or cleandoc(type(self).__doc__ or ""))
        self.where = where
        self.hint = hint or self.hint


class UsageError(CmrError):
    """The command or one of its values is wrong."""

    code = "USAGE"
    exit_code = 2
    explanation = "A flag, an argument or a value does not fit the command. `--help` shows an example."


class CommandUnknown(UsageError):
    """There is no such command."""

    code = "COMMAND-UNKNOWN"
    explanation = "The word after the program's name is not a command. `cli-multi-rapid --help` lists them."


class PhaseUnknown(UsageError):
    """There is no such phase."""

    code = "PHASE-UNKNOWN"
    explanation = (
        "A phase is a file `workflows/phase_definitions/NAME.yaml`. The name given, in a command, in a job or in "
        "another phase's `needs`, matches none of them."
    )


class JobUnknown(UsageError):
    """There is no such job."""

    code = "JOB-UNKNOWN"
    explanation = "Jobs are named sets of phases under `jobs:` in `config/workflow-config.yaml`."


class RunUnknown(UsageError):
    """There is no such run."""

    code = "RUN-UNKNOWN"
    explanation = "Run ids are shown by `cli-multi-rapid status`. The first characters are enough if unambiguous."


class StepUnknown(UsageError):
    """There is no such step in this run."""

    code = "STEP-UNKNOWN"
    explanation = "A step is named `phase/step`, or `step` where only one phase of the run has a step of that name."


class GateUnknown(UsageError):
    """There is no such gate."""

    code = "GATE-UNKNOWN"
    explanation = "Gates are defined under `gates:` in `config/compliance-gates.yaml`."


class CodeUnknown(UsageError):
    """There is no such error code."""

    code = "CODE-UNKNOWN"
    explanation = "`cli-multi-rapid explain` without a code lists all of them."


class InputInvalid(UsageError):
    """An input of the phase has a value that its definition does not allow."""

    code = "INPUT-INVALID"
    explanation = "Inputs are declared under `inputs:` of a phase with a type; `--input NAME=VALUE` must fit it."


class ProjectMissing(UsageError):
    """No project found here or in a folder above."""

    code = "PROJECT-MISSING"
    hint = "cli-multi-rapid init"
    explanation = (
        "A project is a folder with `config/workflow-config.yaml`. It is searched upward from the working "
        "directory (or from `-C DIR`), up to the root of the git repository."
    )


class RunFinished(UsageError):
    """The run has ended; there is nothing to go on with."""

    code = "RUN-FINISHED"
    explanation = "`resume` goes on with an interrupted run. For a run that has ended, `rerun` makes a new one."


class StepNotWaiting(UsageError):
    """The step does not wait for a person."""

    code = "STEP-NOT-WAITING"
    explanation = "A step with `approval:` waits from the moment its turn has come until somebody has decided about it."


class SignatureFailed(UsageError):
    """The decision could not be signed with this key."""

    code = "SIGNATURE-FAILED"
    hint = "give a private key; one with a passphrase goes into ssh-agent, and its .pub file stands for it"
    explanation = "`approve --sign KEYFILE` signs with `ssh-keygen -Y sign`; it never asks for a passphrase."


class RunStuck(CmrError):
    """The run died again and again without finishing a step."""

    code = "RUN-STUCK"
    explanation = (
        "An orchestrator died three times in a row while it worked on the same steps. Something in them, or the "
        "machine, kills it; going on blindly would do the same again. `rerun` makes a new run."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong in a file: where it is, what is wrong and how to mend it. Lines and columns count from 1."""

    code: str
    message: str
    path: str
    line: int = 0
    column: int = 0
    text: str = ""
    fix: str = ""

    @property
    def where(self) -> str:
        """Return `file:line:column`, shortened where the position is not known."""
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path


class SpecInvalid(UsageError):
    """A spec or configuration file is invalid. Carries every problem found, in order of position."""

    code = "SPEC-INVALID"
    explanation = "All problems of a file are reported at once; each has its own code, place and fix."

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        first = problems[0]
        super().__init__(first.message, where=first.where, hint=first.fix)
        self.problems = problems


class ModelsRefused(SpecInvalid):
    """Nothing was generated. Carries every reason."""

    code = "MODELS-REFUSED"
    exit_code = 1
    explanation = (
        "`generate-models` writes all files or none. A contract may be outside of what a language can express, two "
        "contracts may become the same file, or a file stands in the place of one that the program did not write."
    )


class CouldNotRun(CmrError):
    """The work could not be started or judged."""

    code = "COULD-NOT-RUN"
    exit_code = 3
    explanation = "Something the work needs is missing or broken. Nothing was judged; nothing is claimed."


class ToolMissing(CouldNotRun):
    """A required tool is not installed."""

    code = "TOOL-MISSING"
    explanation = (
        "A step needs a program or a Python module that was not found in the project's environment. "
        "`cli-multi-rapid plan PHASE` shows the environment that steps see."
    )


class GatesMissing(CouldNotRun):
    """There is no gate that could judge anything."""

    code = "GATES-MISSING"
    hint = "add gates to it, or let `cli-multi-rapid init` write some"
    explanation = "Without a gate nothing is judged, and what was not judged has not passed."


class ContractsMissing(CouldNotRun):
    """There is no contract here."""

    code = "CONTRACTS-MISSING"
    hint = "put JSON Schemas there, as Name@1.0.json"
    explanation = "Without a contract nothing was checked, and what was not checked has not passed."


class StateDamaged(CouldNotRun):
    """The database of runs is damaged. It was kept as it is."""

    code = "STATE-DAMAGED"
    explanation = (
        "The event log is missing, empty or unreadable although runs have been recorded. It is never replaced "
        "silently: put it back from a backup, or move it away to start anew."
    )


class StateForeign(CouldNotRun):
    """The state folder belongs to somebody else."""

    code = "STATE-FOREIGN"
    explanation = "State must be owned by the user who runs the program, so that nobody else can plant records in it."


class StateUnwritable(CouldNotRun):
    """The state folder cannot be written."""

    code = "STATE-UNWRITABLE"
    hint = "free space or set CMR_STATE_DIR to a folder that can be written"
    explanation = "Every step is recorded durably before and after it runs; without that record nothing is started."


class FolderUnwritable(CouldNotRun):
    """A folder of the project cannot be written."""

    code = "FOLDER-UNWRITABLE"
    explanation = "The command has to write into the project, and the operating system refused."


class ProcessSurvived(CouldNotRun):
    """A process of the interrupted attempt is still running and could not be stopped."""

    code = "PROCESS-SURVIVED"
    explanation = (
        "A step is not started again while its earlier attempt may still change files. Stop the process first."
    )


class EvidenceMissing(CouldNotRun):
    """There are no stored results to report on."""

    code = "EVIDENCE-MISSING"
    hint = "cli-multi-rapid validate-compliance"
    explanation = "Reports are rendered from stored gate results and their evidence only; they are never made up."


class AdvisoriesUnusable(CouldNotRun):
    """The advisory database cannot be used."""

    code = "ADVISORIES-UNUSABLE"
    explanation = (
        "A database is a folder, .zip, .tar.gz or .sqlite of advisories in the OSV format (JSON, or YAML as PyPA "
        "writes it). It is missing, damaged, or holds something else; what cannot be read whole is not used in part."
    )


class GitFailed(CouldNotRun):
    """Git could not do what was asked of it."""

    code = "GIT-FAILED"
    explanation = "The repository is damaged, is not yours, or cannot be written. The message is git's own."


class GitTimeout(GitFailed):
    """Git did not end in time."""

    code = "GIT-TIMEOUT"
    explanation = "Git waited for something: a named pipe where it expects a file, or a disk that does not answer."


class WorktreeUnfit(CouldNotRun):
    """A phase cannot work in a worktree here."""

    code = "WORKTREE-UNFIT"
    explanation = (
        "A worktree is a checkout of the last commit, outside of the project. It needs a commit, and an environment "
        "that does not import the project from its own folder, as an editable install does. `setup:` can make another "
        "one, and `env: {PYTHONPATH: src}` puts the checkout first."
    )


class WaitingForPerson(CmrError):
    """A person has to decide."""

    code = "WAITING"
    exit_code = 4
    explanation = "The run goes on when a person has decided; nothing is lost meanwhile."


class ProjectUntrusted(WaitingForPerson):
    """This project has not been trusted yet, or it has changed since."""

    code = "PROJECT-UNTRUSTED"
    hint = "read what it would run, then:  cli-multi-rapid trust"
    explanation = (
        "Phases, configuration, validators and entry points can run any command, so nothing of a project runs before "
        "you have approved their content. Any change asks again. In CI, CMR_TRUST=1 accepts the checkout."
    )


class StepHalfDone(WaitingForPerson):
    """A step was interrupted, and whether its changes are taken back is not decided."""

    code = "STEP-HALF-DONE"
    explanation = (
        "A step that names what it may change (`writes:`, or `permissions.write` of its phase) is put back to its "
        "start when it was interrupted. One that does not could have changed anything, and so could you: look at "
        "`git status`, then `resume --restore` puts every file back (what is there now stays under refs/cmr/), and "
        "`resume --keep` lets the step start again on what is there."
    )


class ApprovalRefused(WaitingForPerson):
    """This person may not decide about the step."""

    code = "APPROVAL-REFUSED"
    explanation = (
        "`approval: {by: [...]}` names groups of `approvers:` in config/workflow-config.yaml; a group of public keys "
        "asks for a signature (`--sign KEYFILE`). With `not-author` whoever started the run or authored the commit "
        "that is checked out may not approve. A step can approve nothing. The run goes on waiting."
    )


class ApprovalStale(WaitingForPerson):
    """The project is not what the step waits with."""

    code = "APPROVAL-STALE"
    explanation = (
        "What is approved is one state of the project, the one that the step began to wait with. `resume` takes the "
        "run up; the step then waits with what is there now, and that can be approved."
    )


class ApprovalExpired(WaitingForPerson):
    """The time to decide is over."""

    code = "APPROVAL-EXPIRED"
    explanation = "`approval: {expires: ...}` says how long a step waits; taken up after that it fails."


class ProjectBusy(CmrError):
    """Another orchestrator holds this project."""

    code = "PROJECT-BUSY"
    exit_code = 75
    hint = "wait for it, or stop it with:  cli-multi-rapid cancel RUN"
    explanation = "One project has one orchestrator at a time. The lock is freed by the system when its holder dies."


class Fenced(CmrError):
    """This orchestrator lost its lease: another one has taken the run up."""

    code = "FENCED"
    exit_code = 75
    explanation = "A process that was stopped for a while woke up after another one had taken over; it may not write."


class InternalError(CmrError):
    """A bug in this program."""

    code = "INTERNAL"
    exit_code = 70
    explanation = "The crash log named in the message has the details. No recorded work is lost."


def error_classes() -> dict[str, type[CmrError]]:
    """Return every error class by its code."""
    found: dict[str, type[CmrError]] = {}
    todo: list[type[CmrError]] = [CmrError]
    while todo:
        here = todo.pop()
        found[here.code] = here
        todo.extend(here.__subclasses__())
    return found
