//! The least that a program can do, to which the start of wscheck is compared.

fn main() {
    println!("trivial {}", env!("CARGO_PKG_VERSION"));
}
