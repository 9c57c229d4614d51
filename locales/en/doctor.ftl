# review: draft, not reviewed by a native speaker
# What jalonctl doctor found: what each check means and what to do, for support staff.

doctor-enrolled-ok = This kiosk is enrolled at a site.
doctor-enrolled-fail = This kiosk is enrolled at no site. Ask for a code and run jalonctl enrol.
doctor-settings-ok = kiosk.json can be read.
doctor-settings-fail = { $file } is gone, empty or cannot be read; the vault is there. Run jalonctl enrol --repair, which writes it again without a code.
doctor-settings-unknown = Not looked at: the kiosk is not enrolled.
doctor-vault-ok = The vault opens and reads from end to end.
doctor-vault-fail = { $code ->
    [keyring_unavailable] The vault was not opened: the keyring does not answer or is locked. Log in to the computer and run this again. Do not set the vault aside.
    [vault_key_missing] The vault was not opened: its key is not in the keyring. Put it back with the recovery key (jalonctl vault recover). Do not set the vault aside.
    [vault_newer] The vault comes from a newer version of Jalon. Update Jalon on this kiosk.
    [disk_failed] The disk did not let the vault be read or written. Erase nothing; check the disk and who may use the folder.
    [disk_full] The disk is full: the vault could not be opened. Make room on it.
    [disk_full_read] The disk is full: the vault reads from end to end, and nothing can be kept. Export what waits to another disk (jalonctl vault export --to), then make room.
    [disk_read_only] The disk can only be read: the vault reads from end to end, and nothing can be kept. Export what waits to another disk (jalonctl vault export --to), then have the disk checked.
   *[other] The vault does not open or does not read ({ $code }). Erase nothing; jalonctl vault set-aside puts it aside as it is and goes on with a fresh one.
 }
doctor-vault-unknown = The vault could not be looked at: another program uses it, or the kiosk is not enrolled. Close Jalon's window and run this again.
doctor-keyring-ok = The keyring answers and holds the vault's key.
doctor-keyring-fail = { $code ->
    [vault_key_missing] The keyring answers, but does not hold the key of this vault. Put it back with the recovery key: jalonctl vault recover.
   *[other] The keyring does not answer or is locked ({ $code }). Log in to the computer and run this again.
 }
doctor-keyring-unknown = Not looked at: the kiosk is not enrolled.
doctor-export-key-ok = This kiosk can export to a memory stick.
doctor-export-key-warn = This kiosk cannot export yet: it does not know central's delivery key. Make one if there is none (central admin keys --add-delivery), then run jalonctl sync.
doctor-export-key-unknown = Not looked at: the vault is not open.
doctor-storage-ok = { $free } MiB of { $total } are free.
doctor-storage-warn = Only { $free } MiB of { $total } are free. Make room this week.
doctor-storage-fail = Only { $free } MiB of { $total } are free: no registration can begin. Make room now.
doctor-storage-unknown = The free room is not known: the system does not tell.
doctor-disk-encryption-ok = The disk under the vault is encrypted.
doctor-disk-encryption-fail = The disk under the vault is not encrypted by the system. Install the machine anew with disk encryption (LUKS). A disk that encrypts by itself is not recognised here.
doctor-disk-encryption-unknown = The system does not tell whether the disk is encrypted. Check by hand (lsblk).
doctor-swap-ok = No swap in clear.
doctor-swap-fail = The swap { $name } is not encrypted: names could stay in it. Turn it off (swapoff) and encrypt it, or use zram.
doctor-swap-unknown = The system does not tell whether swap is encrypted. Check by hand (swapon --show).
doctor-core-dumps-ok = No core dumps are written.
doctor-core-dumps-warn = Core dumps go to another program, which may keep them. Set it to keep none (systemd-coredump: Storage=none).
doctor-core-dumps-fail = A program that ends badly would write its memory to the disk. Set the limit to zero (ulimit -c 0, LimitCORE=0).
doctor-core-dumps-unknown = The system does not tell what it does with core dumps.
doctor-spool-ok = The system's print spool keeps no document.
doctor-spool-fail = The print spool keeps { $count } document(s), perhaps people's papers. Empty it (cancel -a -x) and set CUPS: PreserveJobFiles No.
doctor-spool-unknown = The print spool cannot be read. Run jalonctl doctor as an administrator to see it.
doctor-left-behind-ok = No file of Jalon lies about.
doctor-left-behind-warn = { $name } was left behind. A set-aside folder keeps an old locked vault: erase it when nobody needs it any more. Anything else comes of work that broke off and may be erased.
doctor-central-ok = Central answers.
doctor-central-warn = Central answers, but gives no dates: its database is away, or one of its keys is retired. Work goes on; tell its administrators.
doctor-central-fail = { $code ->
    [authority_missing] The file of central's authority ({ $file }) is gone or cannot be read: central was not asked. Put the certificate back there, or run jalonctl enrol --repair --ca FILE. Work goes on offline.
   *[other] Central is not reached ({ $code }). Work goes on offline; check the cable, the network, then the address in kiosk.json.
 }
doctor-central-unknown = Not looked at: the kiosk is not enrolled.
doctor-standing-ok = Central takes this kiosk as any other.
doctor-standing-fail = { $code ->
    [kiosk_lost] Central refuses this kiosk: it was reported lost or stolen. Call the préfecture; send people to another kiosk. If it was found, it is to be enrolled anew, in a new folder.
    [quarantined] Two machines have written under this kiosk's name: it is lent no more dates. Stop the copy, then an agent releases it (central admin kiosks --release).
    [retired] This kiosk was taken out of service: it is lent no more dates. Send what waits and use another kiosk.
   *[other] What answers does not know this kiosk ({ $code }). Run jalonctl sync, which makes it known again after a restore; if that does not help, check the address in kiosk.json.
 }
doctor-standing-unknown = Not seen: central is out of reach, the vault is not open, or another program uses it.
doctor-certificate-ok = Central's certificate is good for { $days } more days.
doctor-certificate-warn = Central's certificate ends in { $days } days. Tell its administrators: after that no kiosk believes it.
doctor-certificate-unknown = Central's certificate was not seen.
doctor-clock-ok = The clock is right.
doctor-clock-fail = This machine's clock is wrong. Set the date and time, and let the network keep them.
doctor-clock-unknown = Nothing to compare the clock with: neither the vault nor central was read.
doctor-printer-ok = The printer answers.
doctor-printer-warn = No printer is set: codes have to be copied by hand. Name it in kiosk.json (printer).
doctor-printer-fail = The printer does not answer. Check that it is on and on the network, then its address in kiosk.json.
doctor-printer-unknown = Not looked at: the kiosk is not enrolled.
doctor-scanner-ok = The scanner answers.
doctor-scanner-warn = No scanner is set: registrations are made without documents. Name it in kiosk.json (scanner).
doctor-scanner-fail = The scanner does not answer. Check that it is plugged in and on, then its name in kiosk.json.
doctor-scanner-unknown = Not looked at: the kiosk is not enrolled.
