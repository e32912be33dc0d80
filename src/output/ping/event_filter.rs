//! Which events of a run a format shows: of thousands of heartbeats a second, most show none.

use crate::domain::ping::event::{ConnEvent, Event};
use crate::output::human::HumanOptions;
use crate::output::output_format::Format;

/// What one format shows of one run, which it gets to know by its first event.
#[derive(Debug, Clone, Copy)]
pub struct PingEventFilter {
    format: Format,
    options: HumanOptions,
    has_several: bool,
}

impl PingEventFilter {
    pub fn new(format: Format, options: HumanOptions) -> PingEventFilter {
        PingEventFilter { format, options, has_several: false }
    }

    /// Whether this event changes anything that is shown.
    pub fn is_in(&mut self, event: &Event) -> bool {
        match event {
            Event::Started { info, .. } => {
                self.has_several = info.connections() > 1;
                true
            }
            Event::Connection { event, .. } => self.is_in_connection(event),
            Event::StatusCounts(_) => self.format == Format::Human && self.options.progress,
            Event::Interim(_) | Event::Finished(_) => true,
        }
    }

    fn is_in_connection(&self, event: &ConnEvent) -> bool {
        match (self.format, event) {
            (Format::Json | Format::CompactJson | Format::Report(_), _) => false,
            (Format::Ndjson, _) => true,
            (Format::Human, ConnEvent::PeerTraffic(..)) => !self.has_several,
            (Format::Human, ConnEvent::Heartbeat(_) | ConnEvent::ExtraHeartbeat(_)) => {
                !self.has_several && !self.options.quiet
            }
            (Format::Human, ConnEvent::Opening | ConnEvent::Standing { .. } | ConnEvent::Unjudged { .. }) => {
                false
            }
            (Format::Human, _) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::*;
    use crate::output::ping::fixtures;

    fn shown(format: Format, options: HumanOptions, events: &[Event]) -> (String, String) {
        fixtures::show(format, options, events)
    }

    /// The scripted runs look the same without what is of no interest.
    #[test]
    fn what_is_of_no_interest_is_not_missed() {
        let quiet = HumanOptions { quiet: true, ..HumanOptions::default() };
        for (name, events) in fixtures::all() {
            for format in Format::iter() {
                for options in [HumanOptions::default(), quiet] {
                    let mut interest = PingEventFilter::new(format, options);
                    let wanted: Vec<Event> =
                        events.iter().filter(|event| interest.is_in(event)).cloned().collect();
                    assert_eq!(
                        shown(format, options, &wanted),
                        shown(format, options, &events),
                        "{name} in {format:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn heartbeats_of_several_connections_wake_nobody_who_shows_none() {
        let beats = |format: Format| {
            let mut interest = PingEventFilter::new(format, HumanOptions::default());
            let is_beat =
                |event: &&Event| matches!(event, Event::Connection { event: ConnEvent::Heartbeat(_), .. });
            fixtures::several().iter().filter(|event| interest.is_in(event)).filter(is_beat).count()
        };
        assert_eq!((beats(Format::Human), beats(Format::Json)), (0, 0));
        assert!(beats(Format::Ndjson) > 0);
    }
}
