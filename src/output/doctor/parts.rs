//! The runs of other commands that `doctor` rests on.

use serde_json::Value;

use crate::domain::doctor::report::ExaminedPath;
use crate::output::envelope::{DocumentBody, RunOrigin};
use crate::output::finished_run::FinishedRun;
use crate::output::human::HumanOptions;
use crate::output::idle::IdlePresenter;
use crate::output::listen::ListenPresenter;
use crate::output::ping::PingPresenter;
use crate::output::presenter::Presenter;
use crate::output::view::View;
use crate::output::zombie::ZombiePresenter;

/// A measurement of one path.
#[derive(Debug)]
pub struct MeasurementPart {
    /// The command that would measure the same.
    pub command: &'static str,
    pub view: View,
    /// Its whole document.
    pub document: Value,
}

impl MeasurementPart {
    fn of<P: Presenter>(presenter: &P, report: &P::Report) -> MeasurementPart {
        let run = FinishedRun::new(RunOrigin::default(), presenter.view(report), presenter.document(report));
        MeasurementPart { command: P::Document::COMMAND, view: run.view, document: run.document }
    }
}

/// The measurements of a path, in the order of the checks.
pub fn parts(path: &ExaminedPath) -> Vec<MeasurementPart> {
    let options = HumanOptions::default();
    let evidence = &path.evidence;
    let of_ping = |report: &_| MeasurementPart::of(&PingPresenter::new(options), report);
    let of_listen = |report: &_| MeasurementPart::of(&ListenPresenter::new(options), report);
    let of_idle = |report: &_| MeasurementPart::of(&IdlePresenter::new(options), report);
    let of_zombie = |report: &_| MeasurementPart::of(&ZombiePresenter::new(options), report);
    let all = [
        evidence.ping.as_deref().map(of_ping),
        evidence.listen.as_deref().map(of_listen),
        evidence.idle.as_deref().map(of_idle),
        evidence.zombie.as_deref().map(of_zombie),
    ];
    all.into_iter().flatten().collect()
}
