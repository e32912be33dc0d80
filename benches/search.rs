//! What a whole search for an idle timeout costs this process: `cargo bench --bench search`. The path is simulated in
//! virtual time; what the search costs in the path's own time tells `idle_cost`.

#[expect(dead_code, reason = "a benchmark plays a part of what is simulated")]
#[path = "../tests/simulated_path/mod.rs"]
mod simulated_path;

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use simulated_path::{SimCut, SimPath, SimTimer, play};
use wscheck::domain::idle::{SearchPlan, Strategy};
use wscheck::domain::label::Label;

const TIMEOUT: Duration = Duration::from_secs(100);

fn search(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("search");
    for strategy in [Strategy::Parallel, Strategy::Bisect] {
        for (name, kind) in [("FIN", SimCut::Fin), ("silent", SimCut::Silent)] {
            let plan = SearchPlan { strategy, ..SearchPlan::default() };
            let path = SimPath::new(SimTimer::Exact(TIMEOUT), kind);
            group.bench_function(format!("{}, {name}", strategy.label()), |bencher| {
                bencher.iter(|| play(black_box(&plan), &path, 1));
            });
        }
    }
    let coarse = SimPath::new(SimTimer::Coarse(TIMEOUT, Duration::from_secs(2)), SimCut::Fin).noisy();
    group.bench_function("parallel, coarse and noisy", |bencher| {
        bencher.iter(|| play(black_box(&SearchPlan::default()), &coarse, 1));
    });
}

criterion_group!(searches, search);
criterion_main!(searches);
