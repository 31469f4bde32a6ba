(rule (targets (word) @name) (recipe)? @body) @definition.function
(variable_assignment name: (word) @name) @definition.constant
(define_directive name: (word) @name value: (raw_text)? @body) @definition.macro
((include_directive) @reference.import (#set! kind "include"))
