#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| wscheck::fuzzing::http2_frames(data));
