//! What the commands that measure have in common: arguments become a plan, and the plan a report.

use std::process::ExitCode;

use super::args::OutputArgs;
use super::preset_args::{ServerArgs, detect_before_run};
use super::runner;
use crate::commands::run_control::RunControl;
use crate::commands::start_failure::StartFailure;
use crate::domain::presets::PresetDetection;
use crate::domain::run::reporter::Reporter;
use crate::domain::run::run_result::RunResult;
use crate::output::Presenter;

/// The arguments of a command that measures.
pub trait Measurement: Sized + 'static {
    type Presenter: Presenter;
    /// What it will do.
    type Plan;

    fn output(&self) -> &OutputArgs;

    /// The preset, and what `--preset auto` must look at.
    fn server(&self) -> ServerArgs<'_>;

    /// The same arguments, with an end if they had none.
    fn bounded(self) -> Self {
        self
    }

    /// Builds the plan; `detection` is the detected preset.
    fn plan(self, detection: Option<&PresetDetection>) -> Result<Self::Plan, String>;

    /// The most connections that it has open at once.
    fn connections(_: &Self::Plan) -> usize {
        1
    }

    /// Runs the plan; the report is the last event.
    async fn run(
        plan: Self::Plan,
        reporter: &mut dyn Reporter<EventOf<Self>>,
        control: RunControl,
    ) -> Result<RunResult, StartFailure>;

    /// Runs the command; returns its exit code.
    fn main(self) -> ExitCode {
        let output = self.output().clone();
        let detection = detect_before_run(self.server());
        let plan = detection.and_then(|detection| self.plan(detection.as_ref()));
        runner::run_plan::<Self::Presenter, _>(&output, plan, Self::run)
    }
}

/// The events of a command.
pub type EventOf<M> = <<M as Measurement>::Presenter as Presenter>::Event;
