//! Starts the app; everything else lives in the library.

fn main() {
    toxicity_web_ui::start();
}
