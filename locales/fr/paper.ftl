# review: draft, not reviewed by a native speaker
# What is printed on a convocation and on a ranked receipt. Plain words, formal address.
# The word « récépissé » is never used: none of our papers gives a right of stay.

paper-title-convocation = Attestation d'inscription et convocation
paper-title-receipt = Attestation d'inscription sur la liste d'attente
paper-alt-door = Code à deux dimensions pour l'entrée
paper-alt-rebuild = Code à deux dimensions pour rétablir l'inscription

## The person

paper-name = Nom et prénoms
paper-birth = Né(e) le
paper-birth-value = { $date }, { $place }
paper-nationality = Nationalité
paper-agdref = Numéro étranger (AGDREF)
paper-representative = Représentant légal
paper-declared = Identité déclarée, sans document présenté.
paper-procedures = Démarche
paper-no-value = —

## The date

paper-your-date = Votre rendez-vous
paper-zone = Heure locale ({ $zone })
paper-counter = Guichet
paper-phone = Téléphone
paper-place = Lieu
paper-no-later-than = Vous serez reçu(e) au plus tard le
paper-no-date-yet = Aucune date n'est encore fixée
paper-no-date-explained = Votre rang sur la liste est gardé. Une date vous sera donnée dès qu'une place existe, dans l'ordre de la liste.

## What to know

paper-what-convocation = Ce document atteste votre inscription et vous convoque à la date ci-dessus. Ce n'est pas l'enregistrement de votre demande : celui-ci se fait au guichet, le jour du rendez-vous. Ce n'est pas un titre de séjour.
paper-what-receipt = Ce document atteste votre inscription sur la liste d'attente. Ce n'est pas l'enregistrement de votre demande : celui-ci se fait au guichet, le jour du rendez-vous. Ce n'est pas un titre de séjour.
paper-bring = Apportez ce document, une pièce d'identité si vous en avez une, et les documents de votre démarche.
paper-keep = Gardez ce document et suivez votre dossier avec le code ci-dessous : la date de votre rendez-vous y sera indiquée.
paper-not-for-sale = Ce document est personnel et gratuit. Il ne peut être ni vendu ni donné : il ne sert qu'à la personne nommée ci-dessus.
paper-earlier = Si cette date est trop tardive pour vous, vous pouvez faire une demande de date plus proche. La date donnée reste la vôtre en attendant la réponse.
paper-earlier-receipt = Si vous ne pouvez pas attendre, vous pouvez demander une date plus proche. Votre rang reste le vôtre en attendant la réponse.
paper-follow = Pour suivre votre dossier, demander une date plus proche, déplacer ou annuler : donnez ce code et votre date de naissance dans un point d'accueil.

## The order of the list

paper-code = Code de suivi
paper-order = Ordre de la liste
paper-class = Catégorie
paper-class-ordinary = ordinaire
paper-class-with-time-limit = avec une échéance légale
paper-registered-at = Inscription
paper-tie-break = Départage
paper-rule-version = Règle de calcul
paper-order-explained = La date est attribuée par un calcul automatique selon cette règle.
paper-issued-at = Document établi le { $at }
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
