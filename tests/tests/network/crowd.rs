//! Two thousand kiosks back in the same second: each has its record acknowledged and
//! applied, and its person has one slot.

use crate::ground::{bytes, connector, raw};
use domain::ids::{KioskId, SiteId};
use jiff::Timestamp;
use journeys::counter::Counter;
use journeys::device::Device;
use journeys::stand::SITE;
use journeys::tls;
use serde_json::Value;
use sqlx::Row;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;
use wire::body::{Body, Outcome, Registered};
use wire::messages::PushRequest;

const KIOSKS: u32 = 2_000;
/// Times a kiosk that is told to try again does; its own program goes on for ever.
const TRIES: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_kiosks_back_in_the_same_second_are_all_served() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let counter = Counter::start(None, None).await.unwrap();
    let pool = central::connect(&counter.pool_url).await.unwrap();
    let devices: Vec<Device> = (0..KIOSKS).map(device).collect();
    let (ids, keys): (Vec<Vec<u8>>, Vec<Vec<u8>>) =
        devices.iter().map(|device| (device.kiosk.0.to_vec(), device.key.public().0.to_vec())).unzip();
    sqlx::query(
        "INSERT INTO kiosk (id, site, key, certificate, enrolled_s) \
         SELECT id, $1, key, key, 0 FROM unnest($2::bytea[], $3::bytea[]) AS made (id, key)",
    )
    .bind(SITE)
    .bind(&ids)
    .bind(&keys)
    .execute(&pool)
    .await
    .unwrap();

    let back = Arc::new(Back {
        address: counter.own.address,
        tls: connector(&counter.folder.path().join(tls::CA)),
        doors: Semaphore::new(open_files()),
        again: AtomicUsize::new(0),
    });
    let mut tasks = Vec::new();
    for mut device in devices {
        let back = Arc::clone(&back);
        tasks.push(tokio::spawn(async move {
            back.push(&mut device).await;
            device
        }));
    }
    let mut devices = Vec::new();
    for task in tasks {
        devices.push(task.await.unwrap());
    }
    // What was held and not applied in that second is applied when its kiosk asks next.
    let held = sqlx::query("SELECT kiosk FROM record WHERE state = 'held'").fetch_all(&pool).await.unwrap();
    for row in &held {
        let kiosk: &[u8] = row.get(0);
        back.pull(devices.iter().find(|device| device.kiosk.0 == kiosk).unwrap()).await;
    }
    let again = back.again.load(Ordering::SeqCst);
    println!("{KIOSKS} kiosks served; {again} asked again, {} were applied at the next question", held.len());
    let row = sqlx::query(
        "SELECT count(*), count(DISTINCT registration), \
         (SELECT count(*) FROM record WHERE state = 'applied'), (SELECT count(*) FROM registration) \
         FROM slot WHERE registration IS NOT NULL",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    let all: [i64; 4] = [row.get(0), row.get(1), row.get(2), row.get(3)];
    assert_eq!(all, [i64::from(KIOSKS); 4], "each applied, each with one slot");
}

fn device(n: u32) -> Device {
    let mut id = [7; 16];
    id[..4].copy_from_slice(&n.to_be_bytes());
    let mut seed = [9; 32];
    seed[..4].copy_from_slice(&n.to_be_bytes());
    Device::known(KioskId(id), SiteId::parse(SITE).unwrap(), seed)
}

/// Connections at once: two ends each in this process, and half of what it may open left.
fn open_files() -> usize {
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    usize::try_from(most.map_or(u64::from(KIOSKS), |most| most / 4)).unwrap()
}

struct Back {
    address: SocketAddr,
    tls: TlsConnector,
    doors: Semaphore,
    again: AtomicUsize,
}

impl Back {
    async fn push(&self, device: &mut Device) {
        let now = Timestamp::now();
        let registration = device.registration_at(now, device.kiosk.0, "Diallo").unwrap();
        let outcome = Outcome::Rank { held: None, told: None, busy: None };
        let body =
            Body::Registration(Box::new(Registered { registration, outcome, at: now, day_declared: false }));
        let record = device.says(&body).unwrap();
        let message = serde_json::to_vec(&PushRequest { records: vec![record] }).unwrap();
        let answer = self.ask(device, "POST", "/v1/journal", &message).await;
        assert_eq!(answer["received"]["head"]["seq"], 1, "acknowledged: {answer}");
    }

    async fn pull(&self, device: &Device) {
        self.ask(device, "GET", "/v1/changes?cursor=0", &[]).await;
    }

    /// As a kiosk does: the same again when central is away or says so.
    async fn ask(&self, device: &Device, method: &str, target: &str, body: &[u8]) -> Value {
        let mut last = String::new();
        for _ in 0..TRIES {
            let request = device.request(Timestamp::now(), method, target, body.to_vec()).unwrap();
            let request = bytes(&request.into_parts().0, body);
            let door = self.doors.acquire().await.unwrap();
            let answer = raw(self.address, &self.tls, &request).await;
            drop(door);
            match answer {
                Ok((200, answer)) => return serde_json::from_slice(&answer).unwrap(),
                Ok((503, _)) => last = "503".into(),
                Ok((status, answer)) => panic!("{status} {}", String::from_utf8_lossy(&answer)),
                Err(error) => last = error.to_string(),
            }
            self.again.fetch_add(1, Ordering::SeqCst);
        }
        panic!("{method} {target}: {last}");
    }
}
