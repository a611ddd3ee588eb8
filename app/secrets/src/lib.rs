//! Secret references and the backends that resolve them
