((call target: (identifier) @callee (arguments . (alias) @name) (do_block) @body) @def
  (#set! callee "defmodule") (#set! kind "module"))
((call target: (identifier) @callee (arguments . (alias) @name) (do_block) @body) @def
  (#set! callee "defprotocol") (#set! kind "interface"))
((call target: (identifier) @callee (arguments . (alias) @name) (do_block) @body) @def
  (#set! callee "defimpl") (#set! kind "impl"))
((call target: (identifier) @callee (arguments . [
  (identifier) @name
  (call target: (identifier) @name)
  (binary_operator left: [(identifier) @name (call target: (identifier) @name)] operator: "when")
] (keywords)? @body) (do_block)? @body) @def
  (#set! callee "def defp defdelegate defn defnp") (#set! kind "function"))
((call target: (identifier) @callee (arguments . [
  (identifier) @name
  (call target: (identifier) @name)
  (binary_operator left: [(identifier) @name (call target: (identifier) @name)] operator: "when")
] (keywords)? @body) (do_block)? @body) @def
  (#set! callee "defmacro defmacrop defguard defguardp") (#set! kind "macro"))
((unary_operator operator: "@" operand: (call target: (identifier) @callee
  (arguments . (binary_operator left: [(identifier) @name (call target: (identifier) @name)] operator: "::")))) @def
  (#set! callee "type typep opaque") (#set! kind "type"))
((unary_operator operator: "@" operand: (call target: (identifier) @callee
  (arguments . (binary_operator left: (call target: (identifier) @name) operator: "::")))) @def
  (#set! callee "callback macrocallback") (#set! kind "function"))
((call target: (identifier) @callee (arguments . [(alias) (dot)])) @def
  (#set! callee "alias import require use") (#set! role "import"))
