# review: draft, not reviewed by a native speaker
# What is printed on a convocation and on a ranked receipt. Plain words, formal address.

paper-title-convocation = Certificate of registration and appointment
paper-title-receipt = Certificate of registration on the waiting list
paper-alt-door = Two-dimensional code for the entrance
paper-alt-rebuild = Two-dimensional code to restore the registration

## The person

paper-name = Full name
paper-birth = Born on
paper-birth-value = { $date }, { $place }
paper-nationality = Nationality
paper-agdref = Foreigner number (AGDREF)
paper-representative = Legal representative
paper-declared = Identity declared, no document shown.
paper-procedures = Procedure
paper-no-value = —

## The date

paper-your-date = Your appointment
paper-zone = Local time ({ $zone })
paper-counter = Counter
paper-phone = Telephone
paper-place = Place
paper-no-later-than = You will be received no later than
paper-no-date-yet = No date has been set yet
paper-no-date-explained = Your rank on the list is kept. You will be given a date as soon as a place exists, in the order of the list.

## What to know

paper-what-convocation = This paper certifies that you are registered and gives you an appointment on the date above. It is not the registration of your application: that is done at the counter on the day of the appointment. It is not a residence permit.
paper-what-receipt = This paper certifies that you are registered on the waiting list. It is not the registration of your application: that is done at the counter on the day of the appointment. It is not a residence permit.
paper-bring = Bring this paper, an identity document if you have one, and the documents for your procedure.
paper-keep = Keep this paper and follow your file with the code below: the date of your appointment will be shown there.
paper-not-for-sale = This paper is personal and free of charge. It cannot be sold or given away: it is of use only to the person named above.
paper-earlier = If this date is too late for you, you may make a request for an earlier date. The date given stays yours until you are answered.
paper-earlier-receipt = If you cannot wait, you may make a request for an earlier date. Your rank stays yours until you are answered.
paper-follow = To follow your file, ask for an earlier date, move or cancel: give this code and your date of birth at a reception point.

## The order of the list

paper-code = Follow-up code
paper-order = Order of the list
paper-class = Class
paper-class-ordinary = ordinary
paper-class-with-time-limit = with a legal time limit
paper-registered-at = Registered
paper-tie-break = Tie-break
paper-rule-version = Rule
paper-order-explained = The date is assigned by an automatic calculation under this rule.
paper-issued-at = Issued on { $at }
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
