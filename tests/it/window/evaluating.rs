//! Judging models in the window.

use egui_kittest::kittest::Queryable;
use grn_explorer::app::Action;
use grn_explorer::app::state::Tab;

use super::Window;

fn sample() -> Window {
    let mut window = Window::new([1280.0, 900.0]);
    for file in ["sample_data/sample.h5ad", "sample_data/sample_model.safetensors"] {
        window.open(std::path::Path::new(file));
    }
    window.send(Action::SetTab(Tab::Evaluation));
    window
}

#[test]
fn a_model_is_judged_beside_others_and_the_report_is_saved() {
    let mut window = sample();
    window.click("Evaluate the model");
    window.until("the evaluation", |state| state.runtime.evaluations.judged.len() == 1);
    assert!(window.shows("Split-half replicate") && window.shows("Same-perturbation mean"));
    assert!(window.shows("All metrics on one scale") && window.shows("What the network misses"));
    window.click("On the scale");

    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.safetensors");
    std::fs::copy("sample_data/sample_model.safetensors", &copy).unwrap();
    window.answers.next(&copy);
    window.click("Add a model…");
    window.until("the second one", |state| state.runtime.evaluations.judged.len() == 2);
    let names: Vec<String> = window.state().runtime.evaluations.judged.iter().map(|one| one.name.clone()).collect();
    assert_eq!(names, ["sample_model", "copy"]);
    assert!(window.shows("copy"));

    let page = folder.path().join("page.html");
    window.answers.next(&page);
    window.click("Save report…");
    window.until("the page", |_| page.exists());
    assert!(std::fs::read_to_string(&page).unwrap().contains("Evaluation of sample_model, copy"));
    window.export(&["Methods and metrics (table)"], &folder.path().join("table.tsv"));
    let table = std::fs::read_to_string(folder.path().join("table.tsv")).unwrap();
    assert!(
        table.starts_with("class\tmethod\tbaseline\tmetric\tvalue") && table.contains("\nall\tcopy\tfalse\tpearson\t")
    );

    window.click("Take copy off this page");
    assert_eq!(window.state().runtime.evaluations.judged.len(), 1);
}

#[test]
fn without_data_or_model_the_page_says_what_is_missing() {
    let mut window = Window::new([1024.0, 640.0]);
    window.open(std::path::Path::new("sample_data/sample_model.safetensors"));
    window.send(Action::SetTab(Tab::Evaluation));
    assert!(window.shows("No data set"));
    window.harness.get_by_label("Open a data set…").click();
    window.harness.run_steps(2);
}
