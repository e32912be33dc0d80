//! `wscheck products`: all that is known of a product, in every format.

use serde_json::Value;

use crate::support::run;

fn entries(document: &Value) -> &Vec<Value> {
    document["products"].as_array().unwrap()
}

#[test]
fn a_product_has_its_presets_timeouts_and_defaults() {
    let document = run(&["products", "--json", "Phoenix"]).json();
    let [phoenix] = &entries(&document)[..] else { panic!("{document}") };
    assert_eq!(phoenix["presets"][0]["name"], "phoenix");
    assert_eq!(phoenix["timeouts"][0]["default_ms"], 60_000.0);
    assert_eq!(phoenix["dead_clients"][0]["closes"], "closes with close frame 1000");
    let text = run(&["products", "phoenix"]).stdout;
    for part in
        ["Phoenix Channels, serializer V2", "websocket: [timeout: 3_600_000]", "Dead clients: Phoenix"]
    {
        assert!(text.contains(part), "{text}");
    }
}

/// What the views list is what the products hold.
#[test]
fn the_views_list_the_same_facts() {
    let document = run(&["products", "--json"]).json();
    for (view, key) in [("presets", "presets"), ("timeouts", "timeouts")] {
        let of_products: Vec<&Value> =
            entries(&document).iter().flat_map(|product| product[key].as_array().unwrap()).collect();
        let listed = run(&[view, "--json"]).json();
        assert_eq!(of_products, listed[key].as_array().unwrap().iter().collect::<Vec<_>>(), "{view}");
    }
}

#[test]
fn ndjson_lists_products_and_ends_with_the_document() {
    let lines = run(&["products", "-o", "ndjson", "aws"]).ndjson();
    let (document, rows) = lines.split_last().unwrap();
    assert!(rows.len() > 5);
    for (line, entry) in rows.iter().zip(entries(document)) {
        assert_eq!((&line["event"], &line["product"]), (&"product".into(), entry));
    }
    assert_eq!(rows.len(), entries(document).len());
}

#[test]
fn unknown_product_error_suggests_similar_names() {
    let ran = run(&["products", "phonix"]);
    let error = "error: 'phonix' is not a known product; similar names: phoenix\n";
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(2), "", error));
    let ran = run(&["products", "--json", "qqqq\u{1b}[2J"]);
    let error = "'qqqq\\u{1b}[2J' is not a known product; 'wscheck products' lists them all";
    assert_eq!((ran.code, &ran.json()["error"]["message"]), (Some(2), &error.into()));
    assert_eq!(run(&["products", ""]).code, Some(2));
}
