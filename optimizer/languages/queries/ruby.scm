(class name: (_) @name @head superclass: (_)? @head) @definition.class
(module name: (_) @name @head) @definition.module
(method name: (_) @name @head parameters: (_)? @head) @definition.function
(singleton_method name: (_) @name @head parameters: (_)? @head) @definition.function
(assignment left: (constant) @name) @definition.constant
((call !receiver method: (identifier) @callee arguments: (argument_list . (string))) @reference.import
  (#set! callee "require require_relative load"))
((call !receiver method: (identifier) @callee arguments: (argument_list . (simple_symbol) . (string))) @reference.import
  (#set! callee "autoload"))

; Names, and the calls among them.
[(class_variable) (constant) (global_variable) (identifier) (instance_variable)] @reference
(call method: [(identifier) (constant)] @name) @reference.call
