# review: draft, not reviewed by a native speaker
# What the screens say. Plain words, formal address, short enough for a button.

language-fr = Français
mediator-language = Your language
person-language = Person's language
choose = Choose…
saved = Saved
saving = Saving…
act-lock = Lock
act-unlock = Open the session
act-next = Next
act-back = Back
act-later = Finish later
act-home = Home
act-start = Register a person
act-open = Continue
act-outbox = See the outbox
act-sync = Send now
act-discard = Delete this entry
act-scan = Scan a page
act-remove-page = Remove this page
act-mend = Correct
act-confirm = All correct: give a date
act-to-print = Print the paper
act-print-again = Print again
act-came-out-yes = Yes, the paper came out
act-came-out-no = No, nothing came out
act-nothing-came = Nothing came out
act-next-without-paper = Go on without waiting for the paper
act-finish = Finish
act-stay = We are still here
unlock-title = Open a session
field-mediator = Your name
field-pin = Your PIN
home-title = Home
connection = Connection
connection-online = Connected to the central service
connection-offline = Offline: work goes on, sending waits
connection-refused = The central service refuses this kiosk: tell support
last-contact = Last contact: { $day } at { $time }
never-contact = No contact yet
outbox = Outbox
outbox-waiting = { $count ->
    [0] Nothing waits to be sent
    [one] One item waits to be sent
   *[other] { $count } items wait to be sent
}
outbox-held = { $count ->
    [one] One item received, not yet handled
   *[other] { $count } items received, not yet handled
}
outbox-set-aside = { $count ->
    [one] One item set aside: tell support
   *[other] { $count } items set aside: tell support
}
outbox-empty = The outbox is empty.
lease = Dates without a connection
lease-free = { $count ->
    [0] No date in hand: offline, the person will get a rank
    [one] One firm date can be given offline
   *[other] { $count } firm dates can be given offline
}
lease-days = From { $first } to { $last }
unfinished = Visits to finish
unfinished-draft = Entry in progress
draft-of = Entry begun by { $who }, who can open it, or a supervisor
unfinished-kept = Date kept, paper not yet printed
unfinished-printed = Paper printed, visit to be finished
unfinished-ask = Did the paper come out?
no-name = No name
person-title = The person
hint-names = As on the document, or as the person writes it
hint-agdref = 9 or 10 digits; leave empty if the person has none
birth-legend = What is known of the birth date
birth-form-whole = Day, month and year
birth-form-year = The year only
birth-form-customary = 1 January written by custom on the papers
contact-title = Reaching the person (optional)
represented = The person is a minor or represented
relation-parent = Parent
relation-guardian = Guardian
relation-child-welfare = Child welfare service
field-family-names = Family name(s)
field-given-names = Given name(s)
field-birth = Birth date
field-birth-form = Birth date
field-birth-day = Birth day
field-birth-month = Month (1 to 12)
field-birth-year = Year
field-birth-place = Birth place
field-nationality = Nationality
field-agdref = Foreigner's number (AGDREF)
field-declared = The person shows no identity document
field-contact-phone = Telephone
field-contact-email = E-mail address
field-contact-postal = Postal address
field-representative = Representative
field-representative-family-names = Representative's family name(s)
field-representative-given-names = Representative's given name(s)
field-representative-relation = Who the representative is
field-procedure = Procedure
field-limit = Time limit
field-limit-right = Right to protect
field-limit-last-day = Last useful day
field-limit-days = Number of days
field-limit-evidence = Evidence shown
field-accepts-earlier = Days ahead, at least
field-department-wide = Another site of the département
date-elsewhere = The appointment is at another site:
field-party-people = How many appointments
field-party-with = Code on the paper of the person before
field-moved = Follow-up code on the paper of the other site
field-renewal-expires-on = Last day of the permit (optional)
field-renewal-regime = Renewal asked for online
field-lang = Person's language
nationality-stateless = Stateless
procedure-title = The procedure
procedure-legend = What the person asks for
procedure-first-permit = First residence permit
procedure-renewal = Permit renewal
procedure-duplicate = Duplicate (loss, theft)
procedure-change-of-status = Change of status
procedure-change-of-address = Change of address
procedure-exceptional-admission = Exceptional admission to residence
procedure-family-reunification = Family reunification
procedure-refugee-travel-document = Refugee travel document
procedure-naturalisation = Naturalisation
limit-legend = May a right lapse before the date?
limit-none = No time limit
limit-protection-order = Protection order
limit-court-injunction = Court injunction
limit-permit-expiry = Permit expiry
ahead-title = If an earlier day comes free
ahead-choice = Give it to the person without asking
ahead-help = Explain it to the person: they learn the new date when they come back to the reception point, or when you call them; no message is sent. The old paper is then no longer valid. Without this choice the earlier date is offered to them first, and the date they have holds until they answer.
hint-accepts-earlier = from 3 to 60; it takes time to learn of it
department-title = Another site of the département
department-choice = The person accepts to go to any site of the département
department-help = They are then given the earliest date of all of them, only with a network. Ask whether they can get there: the paper gives the address. Their scanned pages can be read by this site only: they bring the originals.
moved-title = A person who comes from another site
moved-choice = They have moved, and are registered for this procedure already
moved-help = Ask for the paper of the other site. If that registration still counts and is theirs, its registration time is taken over here for the earlier dates they will be offered. The date given today is the first free one, as for anybody. Both appointments stand until the person keeps one. The préfecture checks the residence; the dates stand whatever it finds.
hint-moved = thirteen signs, on the paper of the other site
party-title = Several appointments on one day
party-choice = Other people, or other procedures, are registered next
party-help = For a family that comes together, or one person with several procedures, the appointments are looked for on one day, next to each other. Each may then lie up to two weeks later than for a person alone, never beyond a declared time limit.
party-with = With the person registered just before:
hint-party-people = this one counted, from 1 to 12
renewal-title = The permit to be renewed
regime-legend = Is this renewal asked for online (list of article R.431-2)?
regime-listed = Yes
regime-other = No
regime-unknown = I do not know
renewal-too-early = Too early to file: filing opens on { $day }. The date given will not be before that day.
renewal-limit-first = Filing opens on { $day }, but the time limit cannot wait for that day: it decides the date.
renewal-in-time = In time: the application can be filed until { $day }.
renewal-late = The filing period ended on { $day }. Register the person all the same; they should bring what shows the steps they have already taken.
renewal-uncertain = Counted with care, from 120 to 60 days before the permit ends: check whether the renewal is asked for online.
hint-day = Day/month/year, for example 31/12/2030
hint-evidence = Reference of the decision or permit
scan-title = The documents
scan-text = Put the page in the scanner. Each page is encrypted at once. You may go on without a document.
scan-busy = Scanning…
scan-count = { $count ->
    [0] No page
    [one] One page
   *[other] { $count } pages
}
page-number = Page { $number }
readback-title = Read-back
readback-ask = Please check: is everything correct?
readback-problems = { $count ->
    [one] One thing to correct before a date is given
   *[other] { $count } things to correct before a date is given
}
readback-name = Name
readback-birth = Birth date
readback-birth-place = Birth place
readback-nationality = Nationality
readback-agdref = Foreigner's number (AGDREF)
readback-declared = Identity document
readback-representative = Representative
readback-contact = How to reach you
readback-procedure = Procedure
readback-limit = Time limit
readback-renewal = Last day of the permit to be renewed
readback-accepts-earlier = Earlier day given without asking, days ahead at least
readback-department-wide = Where the person can go
readback-party = Appointments to look for together, this one counted
readback-moved = Paper of another site whose registration is taken over
readback-pages = Pages scanned
date-title = The date is kept
date-title-rank = The rank is kept
date-intro = Your appointment:
date-hour = at { $time }
rank-intro = You are registered on the waiting list.
rank-text = A firm date will be given to you. Keep your code: it lets you learn the date.
rank-at-latest = You will be received at the latest on:
rank-held = This time is held for you. An earlier date may be given to you: a new paper will say so.
rank-told = No date exists at this site today. The préfecture was told on { $day } at { $time }.
rank-busy = Many people were registered here in a short time: the préfecture checks this first. It has two working days; then your date is given, answered or not. Your rank does not change.
code = Follow-up code
source-online = Date given by the central service.
source-lease = Firm date from this kiosk's reserve, without a connection.
source-rank = No date free here: a rank was given; the central service looks for an earlier date.
source-busy = Too many registrations in one hour for this kiosk or this mediator: a rank was given; the préfecture looks, then the date is given.
date-limit = Last useful day: { $day }
date-opens = The application can be filed from { $day }: the date is not before.
after-limit = This date is after the last useful day. The préfecture is told; tell the person too.
only-here = For now the date exists only on this kiosk: print the paper now.
only-here-rank = For now this rank exists on this kiosk only: print the paper now.
print-title = Printing
print-not-sent = Nothing has gone to the printer yet.
print-sent = Sent to the printer. Wait for the paper.
print-printed = Printed: the printer has finished.
print-waiting = The printer is waiting.
print-failed = Printing failed. The date is still kept.
print-ask = Did the paper come out of the printer?
print-copy = If no paper comes out, copy this code for the person. Any kiosk can print it.
done-title = The visit is over
done-take = Take your paper and keep it.
done-copy = Keep the code you copied.
done-keep = Come on the date shown, with your documents.
done-clear = When you finish, the person's data leaves the screen.
done-more = Does somebody else come with this person, or do they have another procedure?
act-next-person = Another person of this visit
act-next-procedure = Another procedure of the same person
date-beside = The other appointments of the visit:
date-apart = The appointments of the visit are not on one day: no room for all together within the time each one has.
record-registration = Registration
record-print = Print
record-incarnation = Journal taken up anew
record-dated = New date
record-piece = Document
record-release = Date given back
record-advance-request = Request for an earlier date
record-cancellation = Cancellation
record-reinstatement = Place taken back
record-limit = Time limit declared later
record-correction = Correction
record-arrival = Person came
record-annulment-told = Person told of a possible annulment
record-transfer = Appointment kept after a move
record-word = What the person said at another kiosk
record-state-waiting = Only on this kiosk
record-state-held = Received by the central service
record-state-applied = Handled by the central service
record-state-set-aside = Set aside: tell support
tries = { $count ->
    [one] One try
   *[other] { $count } tries
}
idle-title = Are you still here?
idle-text = In { $seconds } seconds the screen will be cleared and locked. What was typed is kept.
notice-quarantined = Two machines have written under this kiosk's name. It is lent no dates until an agent of the préfecture has checked it. Dates with a connection can still be given. Call the préfecture.
notice-disk-older = This kiosk works on an older copy of its data. People registered since may be missing on the screen; their papers stay valid. Tell the préfecture.
notice-central-forgot = The central service had lost registrations of this kiosk: they are being sent again. Leave the kiosk connected until nothing waits any more.
notice-central-newer = The central service is newer than this kiosk and tells it things it cannot read yet. Nothing is lost: ask support to update the kiosk.
notice-central-audit-back = The central service's journal of who read and changed files is shorter than it was, or another one. The kiosk goes on and keeps the proof. Tell the préfecture.
followup-title = Find a registration
followup-help = Type the follow-up code on the paper, and the birth date. A paper of another kiosk is found when the network is there.
followup-year = If the paper bears only the year of birth, the year is enough.
act-find-paper = Find
act-reprint = Print the paper
act-followup = The person comes back with their paper
readback-none-shown = The person shows none
followup-old-paper = If the person brings an older paper, take it back.
hint-limit-days = from today

record-paper = Paper of another kiosk
paper-help = Or have the two square codes of the paper read: lay it in the scanner, or read them with a hand scanner.
paper-typed = Codes read by the hand scanner
act-show-paper = Read the paper
act-other-paper = Another paper
act-bring-paper = Send this paper on
act-arrive = The person came
act-open-shown = See the present date
paper-date = Appointment: { $at }
paper-arrived = Noted as come: { $at }
paper-at-latest = Received at the latest: { $at }
paper-bring-help = This paper was made at another kiosk. If that kiosk is lost or broken, send the paper on: the central service takes its date from it.
paper-brought = The paper stands in this kiosk's journal. It leaves for the central service with the next exchange. Give the paper back to the person: it stays valid.
paper-door-only = The second code could not be read: the date will be saved, the rest will have to be asked again. You may read the paper once more.
elsewhere-intro = This paper is of another kiosk. The central service says:
elsewhere-none = No date yet. The registration is recorded.
verdict-valid = Genuine paper
verdict-forged = Forged paper. Do not keep it against the person's will; offer a new registration and tell support.
verdict-replaced = Paper replaced by a newer one
verdict-cancelled = Registration cancelled. Offer a new registration.
verdict-unknown-issuer = Paper of a service this kiosk does not know. Call the site named on the paper.
verdict-look-issued-later-than-now = Genuine paper, to be looked at: it was issued later than this kiosk's own time.
verdict-look-kiosk-lost = Paper for an agent to look at: the kiosk that made it was reported lost, and central has not received the registration. Pass the paper on with the button below.
paper-replaced-by = New appointment: { $at }. Take the old paper back.
verdict-unreadable = The codes cannot be read. Clean the glass, lay the paper flat and try again.

set-aside-help = The vault of this kiosk does not open. You can set it aside as it is and go on with a fresh one: registrations the central service has received stay valid, the others come back by their paper. Then tell support.
act-set-aside = Set the vault aside and go on
notice-dated-too-late = A date was given while this kiosk was out of reach, and its day had passed before the kiosk heard of it. The person's receipt stays valid: tell the préfecture, which gives another date.
notice-date-moved = The site is closed on days when people registered at this kiosk had their appointment: they have a new date. The outbox shows them by their follow-up code, under "New date": tell them, and print their new convocation. The old one is no longer valid.
notice-date-earlier = An earlier slot came free for people registered at this kiosk who had accepted it in advance: they have a new date. The outbox shows them by their follow-up code, under "New date": tell them, and print their new convocation. The old one is no longer valid.
notice-date-missed = A person registered at this kiosk did not come to their appointment: they have a new date. The outbox shows them by their follow-up code, under “New date”: tell them and print their new convocation.
notice-place-ended = A person registered at this kiosk did not come twice: they have no date any more. Their place waits thirty days; open their file to take it back if they return. The préfecture tries to reach them.
notice-place-transferred = A person registered at this kiosk keeps their appointment at another site, or was received there: the one here is over. Open their file when they come back: the screen says where.
notice-place-given-up = An appointment made at this kiosk was cancelled by the person's telephone or e-mail, a day after the request. Their place waits thirty days; open their file to take it back if they come.
notice-place-annulled = The préfecture has annulled the appointment of a person registered at this kiosk. Open their file when they come back: the screen tells what they can do.
notice-annulment-undone = The préfecture took back the annulment of the appointment of a person registered at this kiosk: they have a date. The outbox shows them by their follow-up code, under "New date": tell them, and print their convocation.
notice-retired = This kiosk is taken out of service: it is lent no more dates. Papers already handed out stay valid. Send what is waiting, then direct people to another kiosk.
notice-kiosk-lost = This kiosk was reported lost or stolen: the central service hears it no more, and the papers it gives since will be looked at by an agent. Call the préfecture. Send the people who wait to another kiosk; if there is none, go on: their papers, read at another kiosk, bring their registrations back.
notice-central-other = What answers as the central service does not know this kiosk. Go on: dates come from the reserve. Tell support.
notice-vault-set-aside = The vault of this kiosk did not open: it was set aside and a fresh one has taken its place. Tell support; have the papers of people who come back read.

notice-storage-low = This kiosk's disk is filling up. Work goes on; tell support so that room is made on it.
notice-storage-full = This kiosk's disk is nearly full: no new registration can begin. Visits under way can be finished. Tell support.
end-of-day = End of the day
end-may-switch-off = You may switch this kiosk off.
end-vault-aside = An old vault that was set aside may hold registrations the central service has not received. Do not erase it, and tell support.
end-first = Before you switch this kiosk off:
first-papers = Some people have not taken their paper: open each visit below, print it and finish it.
first-send = What waits can go now: choose “Send now”.
first-export = Central does not answer. Export what waits to a memory stick, or leave this kiosk in a safe place until the network is back.
first-storage = The disk is nearly full: tell support before tomorrow morning.
end-only-here = { $count ->
    [0] Every registration is at central
    [one] One registration is only on this kiosk
   *[other] { $count } registrations are only on this kiosk
}
end-pages = { $count ->
    [0] Every scanned page is at central
    [one] One scanned page is only on this kiosk
   *[other] { $count } scanned pages are only on this kiosk
}
end-papers = Papers nobody has taken
end-drafts = Visits begun
end-drafts-help = They are kept on this kiosk and erased after 30 days.
end-age = { $count ->
    [0] today
    [one] for a day
   *[other] for { $count } days
}
storage-free = Free on the disk: { $free } GB of { $total }
storage-unknown = The free room on the disk is not known.
exported-whole = Last export to a memory stick: { $at }. All that waits is on it, as long as the stick is not lost.
exported-part = Last export to a memory stick: { $at }. Not all that waits now is on it.
media-title = Without a network: the memory stick
media-help = What waits can be carried to central on a memory stick. The file is encrypted: only central can read it, and any kiosk can pass it on.
media-none = No memory stick is plugged in. Plug it in, wait a moment, then look again.
medium-free = { $free } GB free
act-media = Look again
act-export = Export to this stick
act-deliver = Pass on to central
export-done = The file { $file } is on the stick { $medium }, read back and whole. Take the stick out and keep it safe.
export-left-out = Not every page fitted: the missing ones stay on this kiosk until the network is back.
deliver-done = { $file }: central has all of it. The file may be deleted from the stick.
deliver-part = { $file }: central refused a part of it. Keep the stick and tell support.
today-title = What day is it?
today-why = This kiosk's clock is behind and central does not answer. Say today's date before you begin a registration. It cannot be before { $from }.
act-today = This is today's date
field-today-day = Day
field-today-month = Month (1 to 12)
field-today-year = Year

advance-title = Earlier date
advance-why = The person may ask for an earlier date, with one touch. Their present date does not change. The préfecture answers, and the answer is read here.
act-ask-earlier = Ask for an earlier date
advance-only-here = Request of { $at }: kept on this kiosk, it leaves with the next connection.
advance-received = Request of { $at }: received by central. The préfecture has not answered yet.
advance-answered = Request of { $at }: the préfecture has answered.
advance-answer = Answer of { $at }:

offer-title = An earlier date is offered
offer-ask = Answer by { $day } at the latest. The present date holds until the person has accepted.
act-accept-offer = Accept the earlier date
act-decline-offer = Keep the present date
offer-accepted = The earlier date is accepted. The new convocation is printed at the kiosk that made the paper; at the door the old one is replaced.
offer-declined = The person keeps their present date.
act-cancel = Cancel this appointment
cancel-title = Cancel this appointment?
cancel-ask = The person is in front of you and their identity document has been seen. Their slot is offered to the next person of the list. For 30 days they may change their mind.
act-cancel-yes = Yes, cancel
act-cancel-no = No, keep the appointment
cancelled = Appointment cancelled on { $at }
cancelled-elsewhere = The person keeps their appointment at another site ({ $site }), or was received there. The one here is not taken back beside it.
cancelled-until = Until { $day } the person may take their place back: their registration time counts as before.
cancelled-over = The time to take this place back is over. The person may register again.
cancelled-returning = The person takes their place back. Central gives their date with the next connection; come back here then to print the paper.
annulment-title = The préfecture means to annul this appointment
annulment-until = The person can answer until { $day }: in writing, or by going to the préfecture. The printed notice says why and how.
annulment-holds = Nothing is decided. The appointment holds: the paper stays valid.
annulment-do = Print the notice, hand it to the person and explain it in their language. Do not read the reasons aloud in front of others.
annulment-told = Notice handed to the person on { $at }
act-print-notice = Print the notice for the person
act-hand-notice = The person has the notice in hand
annulled = Appointment annulled by the préfecture on { $at }
annulled-next = The person may register again from now on. To contest this decision they write to the préfecture, or ask an association or a lawyer for advice: within thirty days the préfecture can take it back.
transfer-two = You have two appointments
transfer-title = Registration followed from another site
transfer-at = { $site }: { $at }
transfer-undated = no date yet
transfer-stand = Both stand. If you are received at one of them, the other is over.
transfer-keeping = You keep the appointment here. The one at { $site } is over with the next connection.
transfer-since = Registration time taken over from { $site }: { $at }. Earlier dates are offered to you by it.
transfer-alone = The appointment here is the only one you have now.
transfer-none = No registration of another site that still counts was found with this code for this person. The registration here counts with its own time. Check the code with the person; if the other site has not sent its registration yet, it is taken over later and a new paper is due.
transfer-waiting = The paper of the other site is sent with the registration. The answer comes with the next connection; if the registration time is taken over, a new paper is due.
transfer-choose = To keep the appointment here, touch this button. To keep the one at { $site }, cancel the one here, further down.
transfer-ask = The person is in front of you and their identity document has been seen. The appointment at { $site } is over, and its slot is offered to the next person of the list.
act-keep-transfer = Keep the appointment here
act-keep-transfer-yes = Yes, keep the one here
act-keep-transfer-no = No, leave both
act-reinstate = Take the place back
act-limit = Declare a time limit
limit-later = A time limit learnt after the registration
limit-later-help = A protection order, a court injunction or the end of a permit, with what proves it. The person's registration time counts as before. The préfecture checks the evidence; an earlier date is offered if there is one. The present date holds until then.
act-limit-yes = Keep this time limit
act-limit-no = Declare nothing
limit-later-kept = The time limit is kept. Print the new paper and take the old one back. If there is an earlier date for the person, it shows here.
act-correct = Correct a name, a birth date or the language
correct-title = Correct what is written wrongly
correct-help = A slip of typing, another way to write the same name, one part of the birth date, the nationality or the language of the paper. The date of the appointment and the registration time do not change. Check with a document.
act-correct-yes = Keep the correction
act-correct-no = Correct nothing
correct-kept = The correction is kept. Print the new paper and take the old one back. The date is the same.
elsewhere-cancelled = This appointment was cancelled.
cancel-asked-title = Cancellation requested: is it the person?
cancel-asked-phone = On { $at } somebody asked by the person's telephone to cancel this appointment. The appointment stands. Without an answer it is cancelled on { $due }.
cancel-asked-email = On { $at } somebody asked by the person's e-mail to cancel this appointment. The appointment stands. Without an answer it is cancelled on { $due }.
cancel-asked-do = If it was not them, or if they come all the same: one touch is enough, without a network too.
act-coming = The person will come: keep the appointment
word-come = Noted: the person will come. The appointment stays theirs.
reconfirm-title = Will the person come on this date?
reconfirm-ask = The date was given long ahead. Until { $day } the person may say that they will come; saying nothing loses nothing. If they cannot come, they cancel: somebody else has the slot.
act-reconfirm = The person will come
document-title = Have you seen an identity document of the person?
document-cancel = A paper can be lost or stolen: without a document seen, nothing is cancelled. The slot is offered to the next person of the list. For 30 days the person may change their mind.
document-back = A paper can be lost or stolen: without a document seen, the place is not taken back. The registration time counts as before.
document-none = With no document today nothing changes: the person comes back with one, or goes to the reception point that made their paper.
act-document-cancel = Document seen: cancel the appointment
act-document-back = Document seen: take the place back
word-back = The place is taken back. Appointment: { $at }. If this is not the date on the paper, the reception point that made it prints the new one.
word-back-later = The place is taken back. The date is given later; the reception point that made the paper prints the new one.
to-tell = People to tell
to-tell-until = answer by { $day }
to-tell-offer = an earlier date is kept for them
to-tell-annulment = the préfecture means to annul their appointment
to-tell-transfer = their registration time was taken over or corrected: a new paper is to be handed to them
to-tell-cancel-asked = Cancellation requested by telephone or e-mail: ask whether it is theirs
to-tell-reconfirm = Far date: ask whether the person will come
