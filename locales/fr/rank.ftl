# review: draft
# What `jalonctl rank explain` says beside its answer.
rank-key = L'ordre de la liste va par catégorie, puis par heure d'inscription, puis, à la même seconde, par départage. Cette place : { $class }, { $time }, { $tie }. Une heure plus tôt est une place plus haute ; rien d'autre ne compte.
rank-no-queue = Où elle est dans la liste, seule la liste publiée le dit : demandez-la au site et donnez-la avec --queue, et le trousseau avec --root.
rank-position = Liste publiée le { $made } : cette place est au rang { $in_class } sur { $of_class } dans sa catégorie, et { $before } inscriptions sont devant elle en tout. Une place qui se libère plus tôt est proposée dans cet ordre ; la date déjà donnée ne recule pas.
rank-not-listed = Cette place n'est pas dans la liste publiée le { $made }. Vérifiez que tout est recopié du papier, et que la liste est celle de ce site et de cette démarche. Une inscription plus récente que la liste, annulée, ou dont le jour est passé n'y est pas.
rank-twice-unknown = Cette heure est passée deux fois cette nuit-là, quand les horloges ont reculé : la réponse donne les deux lectures, d'abord la première fois.
rank-twice-first = Cette heure est passée deux fois cette nuit-là, quand les horloges ont reculé : les deux ont été essayées, et la première fois est dans la liste.
rank-twice-second = Cette heure est passée deux fois cette nuit-là, quand les horloges ont reculé : les deux ont été essayées, et la seconde fois est dans la liste.
rank-twice-neither = Cette heure est passée deux fois cette nuit-là, quand les horloges ont reculé : les deux ont été essayées, et aucune n'est dans la liste.
