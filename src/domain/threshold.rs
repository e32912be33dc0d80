//! What the user will not accept: --fail-on and --fail-if.
