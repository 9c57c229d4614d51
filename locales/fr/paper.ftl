# review: draft, not reviewed by a native speaker
# What is printed on a convocation and on a ranked receipt. Plain words, formal address.
# The word « récépissé » is never used: none of our papers gives a right of stay.

paper-title-convocation = Attestation d'inscription et convocation
paper-title-receipt = Attestation d'inscription sur la liste d'attente
paper-alt-door = Code à deux dimensions pour l'entrée
paper-alt-rebuild = Code à deux dimensions pour rétablir l'inscription

## The person

paper-name = Nom et prénoms
paper-birth = Date de naissance
paper-birth-and-place = Date et lieu de naissance
paper-nationality = Nationalité
paper-agdref = Numéro étranger (AGDREF)
paper-representative = Représentant légal
paper-declared = Identité déclarée, sans document présenté.
paper-procedures = Démarche

## The date

paper-your-date = Votre rendez-vous
paper-zone = Heure locale ({ $zone })
paper-counter = Guichet
paper-phone = Téléphone
paper-place = Lieu
paper-no-later-than = Vous serez reçu(e) au plus tard le
paper-held = Cette heure est réservée pour vous. Une date plus proche peut vous être donnée : vous recevrez alors un nouveau document. Sinon, venez au jour et à l'heure indiqués ci-dessus.
paper-opens = Votre dossier peut être déposé à partir du { $day }.
paper-ahead = Si un jour plus tôt se libère, il vous est donné sans vous le demander, { $days } jours à l'avance au moins : renseignez-vous au point d'accueil ; un nouveau document remplace alors celui-ci.
paper-elsewhere = Attention : ce rendez-vous n'est pas au site où vous vous êtes inscrit(e). L'adresse est ci-dessous.
paper-confirm = À partir du { $day }, vous pouvez confirmer à un point d'accueil que vous viendrez. Ne pas le faire ne fait rien perdre.
paper-waiting = Votre demande de rendez-vous
paper-no-date-exists = Aucune date n'existe aujourd'hui sur ce site
paper-told = La préfecture en a été informée le { $at } ({ $zone }).
paper-rank-kept = Votre rang sur la liste est gardé. La première date qui existe pour vous vous sera donnée, dans l'ordre de la liste.
paper-no-date-here = Aucune date n'a pu être donnée ici aujourd'hui
paper-request-kept = Votre demande de date est gardée, ainsi que votre rang. Elle sera transmise à la préfecture dès que la connexion sera rétablie.
paper-come-back = Revenez à ce point d'accueil, ou suivez votre dossier avec le code ci-dessous, pour recevoir votre date.

## What to know

paper-what-convocation = Ce document atteste votre inscription et vous convoque à la date ci-dessus. Ce n'est pas l'enregistrement de votre demande : celui-ci se fait au guichet, le jour du rendez-vous. Ce n'est pas un titre de séjour.
paper-what-receipt = Ce document atteste votre inscription sur la liste d'attente. Ce n'est pas l'enregistrement de votre demande : celui-ci se fait au guichet, le jour du rendez-vous. Ce n'est pas un titre de séjour.
paper-bring = Apportez ce document, une pièce d'identité si vous en avez une, et les documents de votre démarche.
paper-come-or-earlier = Venez au jour et à l'heure ci-dessus, sauf si un nouveau document vous donne une date plus proche. Apportez ce document, une pièce d'identité si vous en avez une, et les documents de votre démarche.
paper-keep = Gardez ce document : il montre votre rang et votre demande de date. Apportez-le le jour du rendez-vous, avec une pièce d'identité si vous en avez une et les documents de votre démarche.
paper-not-for-sale = Ce document est personnel et gratuit. Il ne peut être ni vendu ni donné : il ne sert qu'à la personne nommée ci-dessus.
paper-earlier = Si cette date est trop tardive pour vous, vous pouvez demander une date plus proche au point d'accueil qui a établi ce document, ou en écrivant à la préfecture. La date donnée reste la vôtre en attendant la réponse.
paper-request = Ce document est aussi votre demande de date. Si vous ne pouvez pas attendre, demandez une date plus proche dans un point d'accueil : votre rang reste le vôtre en attendant la réponse.
paper-follow = Pour retrouver votre rendez-vous ou avoir ce document à nouveau : donnez ce code et votre date de naissance au point d'accueil qui l'a établi. Pour annuler, revenez-y avec ce document, ou allez à un autre point d'accueil avec ce document et une pièce d'identité.

## The order of the list

paper-code = Code de suivi
paper-order = Ordre de la liste
paper-class = Catégorie
paper-class-ordinary = ordinaire
paper-class-with-time-limit = avec une échéance légale
paper-registered-at = Inscription
paper-taken-over = heure reprise de l'inscription à { $site }
paper-tie-break = Départage
paper-rule-version = Règle de calcul
paper-order-explained = La date est attribuée par un calcul automatique selon cette règle.
paper-issued-at = Document établi le { $at }

## The notice that an appointment may be annulled

paper-annulment-title = La préfecture envisage d'annuler votre rendez-vous
paper-annulment-what = Madame, Monsieur, un agent de la préfecture propose d'annuler le rendez-vous ci-dessus. Rien n'est décidé. Ce document vous dit pourquoi, et comment donner votre réponse. Il n'est destiné qu'à vous : vous n'avez à le montrer à personne.
paper-annulment-reasons = Les motifs donnés par la préfecture
paper-annulment-until = Vous pouvez répondre jusqu'au { $day }.
paper-annulment-how = Répondez par écrit, ou en vous présentant, à l'adresse ci-dessous. Indiquez votre nom et le code de suivi. Vous pouvez joindre des documents, et vous faire aider ou accompagner par la personne de votre choix, une association ou un avocat. Le point d'accueil peut vous aider à écrire.
paper-annulment-holds = En attendant, votre rendez-vous tient : votre convocation reste valable. Si son jour arrive avant une décision, venez, vous serez reçu(e).
paper-annulment-then = Un autre agent décidera après avoir lu votre réponse. Si le rendez-vous est annulé, vous pourrez vous inscrire de nouveau et contester la décision.
paper-annulment-to = Où répondre

## The letter of a time limit that no date serves

paper-limit-title = Votre rendez-vous est après l'échéance que vous avez déclarée
paper-limit-last-day = Dernier jour déclaré
paper-limit-what = Madame, Monsieur, vous avez déclaré une échéance à ce point d'accueil. Votre rendez-vous est après son dernier jour. À l'heure où cette lettre est faite, ce point d'accueil n'a pas de date à vous donner ce jour-là ou avant.
paper-limit-told = La préfecture en a été informée le { $at }.
paper-limit-untold = Ce point d'accueil n'a pas encore la confirmation que la préfecture en est informée. Elle le sera dès que la connexion le permet. Vous pourrez alors y demander cette lettre à nouveau : elle donnera le jour et l'heure.
paper-limit-holds = Votre rendez-vous tient : votre convocation reste valable, et cette lettre ne la remplace pas. Si une date plus proche se libère et que votre tour est venu, elle est pour vous.
paper-limit-write = Vous pouvez aussi écrire vous-même à la préfecture, à l'adresse ci-dessous, pour demander une date plus proche. Joignez cette lettre et ce qui prouve votre échéance, et gardez-en une copie. Vous pouvez vous faire aider par la personne de votre choix, une association ou un avocat. Le point d'accueil peut vous aider à écrire.
paper-limit-alone = Cette lettre n'est destinée qu'à vous et à la préfecture : vous n'avez à la montrer à personne d'autre.
paper-limit-to = Où écrire

## The codes

paper-qr-door = Entrée
paper-qr-rebuild = Secours

## Procedures

paper-procedure-first_permit = Première demande de titre de séjour
paper-procedure-renewal = Renouvellement de titre de séjour
paper-procedure-duplicate = Duplicata de titre de séjour
paper-procedure-change_of_status = Changement de statut
paper-procedure-change_of_address = Changement d'adresse
paper-procedure-exceptional_admission = Admission exceptionnelle au séjour
paper-procedure-family_reunification = Regroupement familial
paper-procedure-refugee_travel_document = Titre de voyage pour réfugié
paper-procedure-naturalisation = Naturalisation
