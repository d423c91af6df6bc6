//! The recordings kept in the repository.

use treevnc_recording::{CLIPS, clip, directory};

#[test]
fn every_clip_plays_to_its_end_and_moves() {
    for name in CLIPS {
        let recording = clip(name).unwrap();
        let size = recording.size();
        assert_eq!((size.width(), size.height()), (1920, 1080), "{name}");
        let frames: Vec<_> = recording.map(Result::unwrap).collect();
        assert!((3..=12).contains(&frames.len()), "{name}: {} frames", frames.len());
        for pair in frames.windows(2) {
            assert!(pair[0].at < pair[1].at, "{name}");
            assert_eq!(pair[1].picture.changed_tiles(&pair[0].picture, &frames[0].changed), pair[1].changed, "{name}");
        }
    }
}

#[test]
fn all_clips_together_stay_small() {
    let bytes: u64 = CLIPS.iter().map(|name| directory().join(name).with_extension("rec").metadata().unwrap().len()).sum();
    assert!(bytes < 8_000_000, "{bytes} bytes");
}
