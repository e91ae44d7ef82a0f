//! Fetches mountain weather.

fn main() {
    println!("sunny above the clouds");
}
