//! scratch
#[test]
fn show() {
    let text = std::fs::read_to_string("/tmp/x.sql").unwrap();
    for line in text.lines() {
        match super::fresh(line) {
            Ok(v) => {
                println!("{line}");
                for p in v {
                    println!("   => [{}] {:?}", p.params, p.statement)
                }
            }
            Err(e) => println!("{line}\n   !! {e}"),
        }
    }
}
