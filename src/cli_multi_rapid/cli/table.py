"""The one command table: every face of the program shows these commands, and loads one only when it is used."""

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("project:init", "Make a project of a folder; never overwrites."),
    "demo": ("project:demo", "Build a small sample project and run its phases, no key or network needed."),
    "import": ("bring:import_", "Make phases of workflows of GitHub Actions; lists what it leaves out."),
    "export": ("bring:export", "Write the gates as pre-commit hooks, a run as CloudEvents, or contracts as AsyncAPI."),
    "trust": ("project:trust", "Approve what this project can run; any change asks again."),
    "plan": ("look:plan", "Show what would run, in which order and environment; runs nothing."),
    "run-phase": ("run:run_phase", "Run one phase and what it needs."),
    "run-job": ("run:run_job", "Run a job, a named set of phases."),
    "resume": ("run:resume", "Go on with an interrupted run."),
    "rerun": ("run:rerun", "Run again what a run ran, as a new run."),
    "approve": ("approval:approve", "Decide about a step that waits for a person."),
    "cancel": ("run:cancel", "Ask a run to stop."),
    "status": ("look:status", "Show the recent runs, or one of them."),
    "logs": ("look:logs", "Show the output of a run or step."),
    "diff": ("look:diff", "Show what differs between two runs."),
    "graph": ("look:graph", "Draw the steps of a phase or run."),
    "validate-compliance": ("comply:validate_compliance", "Evaluate the compliance gates."),
    "validate-contracts": ("contract:validate_contracts", "Check contracts, or events by the contracts they name."),
    "generate-models": ("contract:generate_models", "Generate code from contracts, or compare it (--check)."),
    "generate-report": ("comply:generate_report", "Render the stored results of a run."),
    "advisories": ("advise:advisories", "Look at the advisory database, or make one file of it."),
    "health-check": ("about:health_check", "Check what the program and its project need."),
    "schema": ("about:schema", "Print the JSON Schema of a file format."),
    "config": ("about:config", "Show the settings in force and where each comes from."),
    "explain": ("about:explain", "Explain an error code."),
    "cache": ("keep:cache", "Remove what steps did and nobody has used lately (prune)."),
    "completion": ("about:completion", "Print the completion script of a shell."),
}
"""Name of a command to `module:attribute` below `cli.commands`, and its summary."""

FACES: dict[str, tuple[str, tuple[str, ...], str]] = {
    "workflows/orchestrator.py": ("python -m workflows.orchestrator", (), "Run the workflow phases of this project."),
    "agentic_framework_v3.py": ("python agentic_framework_v3.py", (), "Run tasks and phases of this project."),
    "scripts/workflow-runner.py": (
        "python scripts/workflow-runner.py",
        ("run-phase",),
        "Run one phase of this project.",
    ),
    "scripts/compliance-checker.py": (
        "python scripts/compliance-checker.py",
        ("validate-compliance",),
        "Evaluate the compliance gates of this project.",
    ),
}
"""Entry file of a project to the name it calls itself, the arguments it fixes, and its summary."""
