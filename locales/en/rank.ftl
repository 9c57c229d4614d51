# review: draft, not reviewed by a native speaker
# What `jalonctl rank explain` says beside its answer.
rank-key = The order of the list goes by class, then by registration time, then, within one second, by the tie-break. This place: { $class }, { $time }, { $tie }. An earlier time is a higher place; nothing else counts.
rank-no-queue = Where it stands in the list, only the published list says: ask the site for it and give it with --queue, and the key ring with --root.
rank-position = List published on { $made }: this place is number { $in_class } of { $of_class } in its class, and { $before } registrations stand before it in all. A slot that comes free earlier is offered in this order; the date already given never moves back.
rank-not-listed = This place is not in the list published on { $made }. Check that everything is copied from the paper, and that the list is the one of this site and this procedure. A registration later than the list, cancelled, or whose day is over is not in it.
rank-twice-unknown = This hour passed twice that night, when the clocks went back: the answer gives both readings, the first time first.
rank-twice-first = This hour passed twice that night, when the clocks went back: both were tried, and the first time is in the list.
rank-twice-second = This hour passed twice that night, when the clocks went back: both were tried, and the second time is in the list.
rank-twice-neither = This hour passed twice that night, when the clocks went back: both were tried, and neither is in the list.
