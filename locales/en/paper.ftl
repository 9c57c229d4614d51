# review: draft, not reviewed by a native speaker
# What is printed on a convocation and on a ranked receipt. Plain words, formal address.

paper-title-convocation = Certificate of registration and appointment
paper-title-receipt = Certificate of registration on the waiting list
paper-alt-door = Two-dimensional code for the entrance
paper-alt-rebuild = Two-dimensional code to restore the registration

## The person

paper-name = Full name
paper-birth = Date of birth
paper-birth-and-place = Date and place of birth
paper-nationality = Nationality
paper-agdref = Foreigner number (AGDREF)
paper-representative = Legal representative
paper-declared = Identity declared, no document shown.
paper-procedures = Procedure

## The date

paper-your-date = Your appointment
paper-zone = Local time ({ $zone })
paper-counter = Counter
paper-phone = Telephone
paper-place = Place
paper-no-later-than = You will be received no later than
paper-held = This time is held for you. An earlier date may be given to you: you will then receive a new paper. If not, come on the day and at the time above.
paper-opens = Your application can be filed from { $day }.
paper-ahead = If an earlier day comes free, it is given to you without asking, at least { $days } days ahead: ask at the reception point; a new document then takes the place of this one.
paper-elsewhere = Please note: this appointment is not at the site where you registered. The address is below.
paper-confirm = From { $day } you may confirm at a reception point that you will come. Not doing so loses nothing.
paper-waiting = Your request for an appointment
paper-no-date-exists = No date exists at this site today
paper-told = The préfecture was told of it on { $at } ({ $zone }).
paper-rank-kept = Your rank on the list is kept. The first date that exists for you will be given to you, in the order of the list.
paper-no-date-here = No date could be given here today
paper-request-kept = Your request for a date is kept, and so is your rank. It will be sent to the préfecture as soon as the connection is back.
paper-come-back = Come back to this reception point, or follow your file with the code below, to receive your date.

## What to know

paper-what-convocation = This paper certifies that you are registered and gives you an appointment on the date above. It is not the registration of your application: that is done at the counter on the day of the appointment. It is not a residence permit.
paper-what-receipt = This paper certifies that you are registered on the waiting list. It is not the registration of your application: that is done at the counter on the day of the appointment. It is not a residence permit.
paper-bring = Bring this paper, an identity document if you have one, and the documents for your procedure.
paper-come-or-earlier = Come on the day and at the time above, unless a new paper gives you an earlier date. Bring this paper, an identity document if you have one, and the documents for your procedure.
paper-keep = Keep this paper: it shows your rank and your request for a date. Bring it on the day of the appointment, with an identity document if you have one and the documents for your procedure.
paper-not-for-sale = This paper is personal and free of charge. It cannot be sold or given away: it is of use only to the person named above.
paper-earlier = If this date is too late for you, you may ask for an earlier date at the reception point that made this document, or by writing to the préfecture. The date given stays yours until you are answered.
paper-request = This paper is also your request for a date. If you cannot wait, ask for an earlier date at a reception point: your rank stays yours until you are answered.
paper-follow = To find your appointment or get this document again: give this code and your date of birth at the reception point that made it. To cancel, come back there with this document, or go to another reception point with this document and an identity document.

## The order of the list

paper-code = Follow-up code
paper-order = Order of the list
paper-class = Class
paper-class-ordinary = ordinary
paper-class-with-time-limit = with a legal time limit
paper-registered-at = Registered
paper-taken-over = time taken over from the registration at { $site }
paper-tie-break = Tie-break
paper-rule-version = Rule
paper-order-explained = The date is assigned by an automatic calculation under this rule.
paper-issued-at = Issued on { $at }

## The notice that an appointment may be annulled

paper-annulment-title = The préfecture means to annul your appointment
paper-annulment-what = An agent of the préfecture proposes to annul the appointment above. Nothing is decided. This notice tells you why, and how to give your answer. It is for you alone: you need show it to nobody.
paper-annulment-reasons = The reasons given by the préfecture (in French)
paper-annulment-until = You can answer until { $day }.
paper-annulment-how = Answer in writing, or in person, at the address below. Give your name and the follow-up code. You may add documents, and be helped or accompanied by a person of your choice, an association or a lawyer. The reception point can help you to write.
paper-annulment-holds = Meanwhile your appointment holds: your convocation stays valid. If its day comes before a decision, come, and you will be received.
paper-annulment-then = Another agent will decide after reading your answer. If the appointment is annulled, you can register again and contest the decision.
paper-annulment-to = Where to answer

## The letter of a time limit that no date serves

paper-limit-title = Your appointment is after the time limit you declared
paper-limit-last-day = Declared last day
paper-limit-what = You declared a time limit at this reception point. Your appointment is after its last day. When this letter is made, this reception point has no date to give you on that day or before it.
paper-limit-told = The préfecture was told of it on { $at }.
paper-limit-untold = This reception point has no confirmation yet that the préfecture was told. It tells the préfecture as soon as there is a connection. You can then ask there for this letter again: it will give the day and the hour.
paper-limit-holds = Your appointment holds: your convocation stays valid, and this letter does not replace it. If an earlier date comes free and it is your turn, it is for you.
paper-limit-write = You may also write to the préfecture yourself, at the address below, to ask for an earlier date. Add this letter and what proves your time limit, and keep a copy. You may be helped by a person of your choice, an association or a lawyer. The reception point can help you to write.
paper-limit-alone = This letter is for you and the préfecture alone: you need show it to nobody else.
paper-limit-to = Where to write

## The codes

paper-qr-door = Entrance
paper-qr-rebuild = Recovery

## Procedures

paper-procedure-first_permit = First residence permit
paper-procedure-renewal = Renewal of a residence permit
paper-procedure-duplicate = Duplicate of a residence permit
paper-procedure-change_of_status = Change of status
paper-procedure-change_of_address = Change of address
paper-procedure-exceptional_admission = Exceptional admission to stay
paper-procedure-family_reunification = Family reunification
paper-procedure-refugee_travel_document = Refugee travel document
paper-procedure-naturalisation = Naturalisation
