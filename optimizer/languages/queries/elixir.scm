((call target: (identifier) @callee (arguments . (alias) @name) (do_block) @body) @definition.module
  (#set! callee "defmodule"))
((call target: (identifier) @callee (arguments . (alias) @name) (do_block) @body) @definition.interface
  (#set! callee "defprotocol"))
((call target: (identifier) @callee (arguments . (alias) @name) (do_block) @body) @definition.impl
  (#set! callee "defimpl"))
((call target: (identifier) @callee (arguments . [
  (identifier) @name
  (call target: (identifier) @name)
  (binary_operator left: [(identifier) @name (call target: (identifier) @name)] operator: "when")
] (keywords)? @body) (do_block)? @body) @definition.function
  (#set! callee "def defp defdelegate defn defnp"))
((call target: (identifier) @callee (arguments . [
  (identifier) @name
  (call target: (identifier) @name)
  (binary_operator left: [(identifier) @name (call target: (identifier) @name)] operator: "when")
] (keywords)? @body) (do_block)? @body) @definition.macro
  (#set! callee "defmacro defmacrop defguard defguardp"))
((unary_operator operator: "@" operand: (call target: (identifier) @callee
  (arguments . (binary_operator left: [(identifier) @name (call target: (identifier) @name)] operator: "::")))) @definition.type
  (#set! callee "type typep opaque"))
((unary_operator operator: "@" operand: (call target: (identifier) @callee
  (arguments . (binary_operator left: (call target: (identifier) @name) operator: "::")))) @definition.function
  (#set! callee "callback macrocallback"))
((call target: (identifier) @callee (arguments . [(alias) (dot)])) @reference.import
  (#set! callee "alias import require use"))

; Names, and the calls among them.
(identifier) @reference
(alias) @reference
(call target: [(identifier) @name (dot right: [(identifier) (alias)] @name)]) @reference.call
