//! Parameters of `wscheck doctor`.

use std::time::Duration;

use crate::commands::listen::ListenPlan;
use crate::commands::ping::PingPlan;
use crate::commands::probe_idle::IdlePlan;
use crate::commands::probe_zombie::ZombiePlan;
use crate::domain::connection::target::Target;
use crate::domain::doctor::report::{Depth, DoctorInfo, PathInfo};
use crate::domain::doctor::{Check, CheckSelection};
use crate::domain::presets::PresetDetection;
use crate::net::connect::dial::DialPlan;

/// Connections of a run at once, on all paths together.
pub const MAX_CONNECTIONS: usize = 16;

/// Paths beside the URL itself that can be compared: each needs three connections.
pub const MAX_OTHER_PATHS: usize = 3;

/// Parameters of a run. Always valid: at least one path, the last of which is the URL itself.
pub struct DoctorPlan {
    pub info: DoctorInfo,
    pub target: Target,
    pub paths: Vec<PathPlan>,
    pub selection: CheckSelection,
    /// The same at every address of the name: the paths follow from what the resolver says.
    pub each_address: bool,
    /// The preset that was named; `None`: it is detected.
    pub named_preset: Option<PresetDetection>,
    /// The user's own messages are sent, which may be secret.
    pub sends_own_messages: bool,
    /// Largest message accepted from the server, in bytes.
    pub max_message_size: usize,
    /// Makes the plans of what is measured.
    pub measurements: MeasurementBuilder,
}

impl DoctorPlan {
    /// Whether it has connections for dead clients: beside other paths there are too few.
    pub fn looks_for_dead_clients(&self) -> bool {
        let is_wanted = self.info.depth == Depth::Thorough && self.selection.has(Check::DeadClients);
        is_wanted && self.paths.len() == 1
    }
}

/// One path.
#[derive(Clone)]
pub struct PathPlan {
    pub info: PathInfo,
    pub dial: DialPlan,
}

/// Makes the plans of what is measured on a path, for a detected preset; the error says why there are none.
pub type MeasurementBuilder =
    Box<dyn Fn(&DialPlan, Option<&PresetDetection>, MeasurementLimits) -> Result<Measurements, String>>;

/// How much a path's measurements may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeasurementLimits {
    /// They end by then.
    pub time: Duration,
    /// Connections of the search for the idle timeout at once.
    pub idle_connections: usize,
}

/// What is measured on a path.
pub struct Measurements {
    pub ping: PingPlan,
    pub listen: ListenPlan,
    pub idle: IdlePlan,
    pub zombie: ZombiePlan,
    /// A message that the server expects, to be sent in fragments; `None` if none is known.
    pub message: Option<String>,
}
