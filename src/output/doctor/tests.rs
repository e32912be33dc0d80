use super::*;
use crate::output::Format;
use crate::output::golden::assert_kept;
use crate::output::testing::{
    PLAIN, assert_as_the_schema_says, assert_colour_only_repeats, assert_every_event_is_printed,
    assert_is_picture, show, together, values,
};

#[test]
fn people_read_a_line_a_check_and_the_answer() {
    for (name, events) in fixtures::all() {
        let text = together(show(DoctorPresenter::new(PLAIN), Format::Human, PLAIN, &events));
        insta::assert_snapshot!(format!("{name}.human"), text);
    }
}

#[test]
fn golden_document_keeps_its_fields() {
    assert_kept("doctor", DoctorPresenter::new(PLAIN), &fixtures::cut());
}

#[test]
fn everything_for_programs_follows_the_schema() {
    let shown = |format| {
        let runs = fixtures::all().into_iter();
        runs.flat_map(move |(_, events)| values(&show(DoctorPresenter::new(PLAIN), format, PLAIN, &events).0))
    };
    let printed: Vec<_> = shown(Format::Json).chain(shown(Format::Ndjson)).collect();
    assert_as_the_schema_says("doctor", &printed);
    assert_every_event_is_printed("doctor", &printed);
}

#[test]
fn colour_only_repeats_what_words_say() {
    let colored = HumanOptions { color: true, stderr_color: true, ..PLAIN };
    for (name, events) in fixtures::all() {
        let shown = |options| show(DoctorPresenter::new(options), Format::Human, options, &events);
        assert_colour_only_repeats(name, &shown(PLAIN), &shown(colored));
    }
}

#[test]
fn picture_in_docs_is_fresh() {
    let colored = HumanOptions { color: true, stderr_color: true, ..PLAIN };
    let (report, _) = show(DoctorPresenter::new(colored), Format::Human, colored, &fixtures::cut());
    assert_is_picture("doctor", "wscheck doctor \"$URL\"", &report);
}
